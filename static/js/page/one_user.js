// One browser has one cookie, hence one user: tabs tell each other who that is.

const KEY = 'chat-user'; // with the path of the service: there may be others on this host. page/early.js looks for it, too

/**
 * @typedef {object} OneUser
 * @property {string} known who was signed in here last; '' for nobody
 * @property {(userId: string) => void} tell who is signed in here now; '' for nobody
 * @property {(changed: (userId: string) => void) => void} listen calls back when another tab has told
 */

/**
 * The `storage` event fires in every tab but the one that wrote.
 * @param {Storage | null} storage null where the browser blocks it: then each tab is alone
 * @param {Pick<Window, 'addEventListener'>} window
 * @param {string} root
 * @returns {OneUser}
 */
export function oneUser(storage, window, root) {
  const key = KEY + root;
  return {
    get known() {
      try {
        return storage?.getItem(key) ?? '';
      } catch {
        return '';
      }
    },
    tell: (userId) => {
      try {
        if (storage?.getItem(key) !== userId) storage?.setItem(key, userId);
      } catch {
        // Full or blocked: the page works without it.
      }
    },
    listen: (changed) =>
      window.addEventListener('storage', (event) => {
        if (/** @type {StorageEvent} */ (event).key === key) changed(/** @type {StorageEvent} */ (event).newValue ?? '');
      }),
  };
}
