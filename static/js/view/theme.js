// Light, dark, or as the system has it. page/early.js reads the same key before the first paint.

const STORED_AS = 'chat-theme';

/** @typedef {'light' | 'dark' | 'system'} Theme */

/** @returns {Theme} */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

/** @param {Theme} wanted */
export function chooseTheme(wanted) {
  if (wanted === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  try {
    if (wanted === 'system') localStorage.removeItem(STORED_AS);
    else localStorage.setItem(STORED_AS, wanted);
  } catch {
    // Then it holds until the page is closed.
  }
}
