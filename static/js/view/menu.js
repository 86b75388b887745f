// The one menu of the page: opened by a button, a long press or the menu key.

import { byId, element, icon } from './dom.js';

/**
 * @typedef {object} Choice
 * @property {string} label
 * @property {() => void} run
 * @property {string} [symbol]
 * @property {boolean} [danger]
 * @property {boolean} [checked] one of several, or on and off
 */

/** @typedef {Choice | {note: string} | 'rule'} Item */

/** @typedef {{x: number, y: number}} Point */

const MARGIN_PX = 8; // to the edges of the window
const GAP_PX = 4; // to the button

export class Menu {
  #menu = byId('menu', HTMLDivElement);
  /** @type {HTMLElement | null} */
  #opener = null;

  constructor() {
    this.#menu.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('pointerdown', (event) => {
      if (!this.#menu.hidden && !this.#menu.contains(/** @type {Node} */ (event.target))) this.close(false);
    });
    window.addEventListener('resize', () => this.close(false));
    window.addEventListener('blur', () => this.close(false));
  }

  /**
   * @param {HTMLElement} opener gets the focus back
   * @param {Item[]} items
   * @param {string} label
   * @param {Point} [at] beside the opener unless told
   */
  open(opener, items, label, at) {
    if (!this.#menu.hidden) this.close(false);
    this.#opener = opener;
    opener.setAttribute('aria-expanded', 'true');
    this.#menu.setAttribute('aria-label', label);
    this.#menu.replaceChildren(...items.map((item) => this.#node(item)));
    this.#menu.hidden = false;
    this.#place(at ?? this.#besides(opener));
    this.#choices[0]?.focus({ preventScroll: true });
  }

  /** @param {boolean} [giveBack] whether the focus goes back to where it was */
  close(giveBack = true) {
    if (this.#menu.hidden) return;
    const opener = this.#opener;
    this.#menu.hidden = true;
    this.#opener = null;
    opener?.setAttribute('aria-expanded', 'false');
    if (giveBack) opener?.focus({ preventScroll: true });
  }

  get #choices() {
    return [...this.#menu.querySelectorAll('button')];
  }

  /** @param {Item} item */
  #node(item) {
    if (item === 'rule') return element('hr', 'menu__rule');
    if ('note' in item) return element('p', 'menu__note', item.note);
    const choice = element('button', item.danger ? 'menu__item menu__item--danger' : 'menu__item');
    choice.type = 'button';
    choice.tabIndex = -1;
    choice.setAttribute('role', item.checked === undefined ? 'menuitem' : 'menuitemcheckbox');
    if (item.checked !== undefined) choice.setAttribute('aria-checked', String(item.checked));
    if (item.symbol) choice.append(icon(item.symbol));
    choice.append(element('span', '', item.label));
    if (item.checked) choice.append(icon('check'));
    choice.addEventListener('click', () => {
      this.close();
      item.run();
    });
    return choice;
  }

  /** Below the opener, or above it where there is no room. @param {HTMLElement} opener @returns {Point} */
  #besides(opener) {
    const { left, top, bottom } = opener.getBoundingClientRect();
    const { height } = this.#menu.getBoundingClientRect();
    const below = bottom + GAP_PX;
    return { x: left, y: below + height > window.innerHeight ? top - height - GAP_PX : below };
  }

  /** @param {Point} at */
  #place({ x, y }) {
    const { width, height } = this.#menu.getBoundingClientRect();
    const most = { x: window.innerWidth - width - MARGIN_PX, y: window.innerHeight - height - MARGIN_PX };
    this.#menu.style.left = `${Math.max(MARGIN_PX, Math.min(x, most.x))}px`;
    this.#menu.style.top = `${Math.max(MARGIN_PX, Math.min(y, most.y))}px`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const choices = this.#choices;
    const at = choices.findIndex((choice) => choice === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    event.stopPropagation();
    if (to !== undefined) choices.at(to % choices.length)?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') this.close();
    else return;
    event.preventDefault();
  }
}
