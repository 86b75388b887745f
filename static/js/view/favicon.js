// The page's icon in the tab, with a mark while something is unread.

import { byId } from './dom.js';

const MARK = '<circle cx="25" cy="7" r="6.500" fill="#c62f26" stroke="#fff" stroke-width="1.500"/>';

export class Favicon {
  #link = byId('favicon', HTMLLinkElement);
  #plain = this.#link.href;
  #marked = '';

  /** @param {boolean} unread */
  async show(unread) {
    if (unread && !this.#marked) this.#marked = (await this.#withMark()) ?? this.#plain;
    const wanted = unread ? this.#marked : this.#plain;
    if (this.#link.href !== wanted) this.#link.href = wanted;
  }

  async #withMark() {
    try {
      const svg = await (await fetch(this.#plain)).text();
      return `data:image/svg+xml,${encodeURIComponent(svg.replace('</svg>', `${MARK}</svg>`))}`;
    } catch {
      return null; // offline: the title has the number
    }
  }
}
