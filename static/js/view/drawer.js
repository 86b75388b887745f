// On narrow screens the room list is a drawer.

import { byId } from './dom.js';

export class Drawer {
  #sidebar = byId('sidebar', HTMLElement);
  #scrim = byId('scrim', HTMLDivElement);
  #opener = byId('open-drawer', HTMLButtonElement);
  #narrow = matchMedia('(max-width: 899px)'); // the same width as in layout.css

  constructor() {
    this.#opener.addEventListener('click', () => this.open());
    byId('close-drawer', HTMLButtonElement).addEventListener('click', () => this.close());
    this.#scrim.addEventListener('click', () => this.close());
    this.#sidebar.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    this.#narrow.addEventListener('change', () => this.#apply(false));
    this.#apply(false);
  }

  open() {
    this.#apply(true);
    byId('close-drawer', HTMLButtonElement).focus();
  }

  close() {
    if (!this.#scrim.hidden) this.#opener.focus();
    this.#apply(false);
  }

  /** @param {boolean} open */
  #apply(open) {
    const drawn = this.#narrow.matches && open;
    this.#sidebar.classList.toggle('sidebar--open', drawn);
    this.#sidebar.inert = this.#narrow.matches && !open; // what is off the screen must not take the focus
    this.#scrim.hidden = !drawn;
    this.#opener.setAttribute('aria-expanded', String(drawn));
  }
}
