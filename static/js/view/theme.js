// The theme button: the system's preference holds until the user chooses.

import { byId } from './dom.js';

const STORED_AS = 'chat-theme'; // page/theme_early.js reads the same key

export function setUpTheme() {
  const toggle = byId('theme', HTMLButtonElement);
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? 'dark' : 'light')) === 'dark';

  const describe = () => {
    toggle.title = isDark() ? 'Light theme' : 'Dark theme';
    toggle.setAttribute('aria-label', toggle.title);
  };
  toggle.addEventListener('click', () => {
    choose(isDark() ? 'light' : 'dark');
    describe();
  });
  systemDark.addEventListener('change', describe);
  describe();
}

/** @param {string} theme */
function choose(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(STORED_AS, theme);
  } catch {
    // Then it holds until the page is closed.
  }
}
