// One word that the tabs of this service tell each other: who is signed in here, or which message was deleted unsent.

/**
 * @typedef {object} TabWord
 * @property {string} known the last one; '' for none
 * @property {(word: string) => void} tell
 * @property {(heard: (word: string) => void) => void} listen calls back when another tab has told
 */

/**
 * The `storage` event fires in every tab but the one that wrote.
 * @param {Storage | null} storage null where the browser blocks it: then each tab is alone
 * @param {Pick<Window, 'addEventListener'>} window
 * @param {string} key with the path of the service: there may be others on this host
 * @returns {TabWord}
 */
export function tabWord(storage, window, key) {
  return {
    get known() {
      try {
        return storage?.getItem(key) ?? '';
      } catch {
        return '';
      }
    },
    tell: (word) => {
      try {
        if (storage?.getItem(key) !== word) storage?.setItem(key, word);
      } catch {
        // Full or blocked: the page works without it.
      }
    },
    listen: (heard) =>
      window.addEventListener('storage', (event) => {
        const { key: changed, newValue } = /** @type {StorageEvent} */ (event);
        if (changed === key) heard(newValue ?? '');
      }),
  };
}
