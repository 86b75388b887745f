// The user at the foot of the sidebar, and what they can set.

import { fillAvatar } from './avatar.js';
import { byId, setText } from './dom.js';
import { chooseTheme, theme } from './theme.js';

/** @typedef {import('./theme.js').Theme} Theme */

/** @type {[Theme, string][]} */
const THEMES = [['light', 'Light'], ['dark', 'Dark'], ['system', 'As the system']];

export class UserMenu {
  #button = byId('user-menu', HTMLButtonElement);

  /**
   * @param {object} parts
   * @param {import('./menu.js').Menu} parts.menu
   * @param {import('./notifications.js').Notifications} parts.notifications
   * @param {() => void} parts.keys
   * @param {() => void} parts.signOut
   */
  constructor({ menu, notifications, keys, signOut }) {
    this.#button.addEventListener('click', () => menu.open(this.#button, [
      { note: 'Theme' },
      ...THEMES.map(([name, label]) => ({ label, checked: theme() === name, run: () => chooseTheme(name) })),
      'rule',
      ...notifications.choices(),
      { label: 'Keys', run: keys },
      'rule',
      { label: 'Sign out', run: signOut },
    ], 'Your settings'));
  }

  /**
   * @param {import('../net/shapes.js').User} user
   */
  show(user) {
    setText(byId('user-name', HTMLElement), user.name);
    fillAvatar(byId('user-avatar', HTMLSpanElement), user);
  }

  /** @param {boolean} live */
  showState(live) {
    setText(byId('user-state', HTMLSpanElement), live ? 'Online' : 'Offline');
  }
}
