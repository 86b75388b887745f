// Public rooms: how many are in each, and a button to join.

import { button, byId, element, setText } from './dom.js';
import { folded } from './text.js';

/** @typedef {import('../rooms/room.js').Room} Room */

const MOST_SHOWN = 100; // nobody reads a longer list; the field finds the rest
const MOST_PAGES = 20; // looked through for one search: two thousand rooms

export class Browse {
  #dialog = byId('browse-dialog', HTMLDialogElement);
  #filter = byId('browse-filter', HTMLInputElement);
  #note = byId('browse-note', HTMLParagraphElement);
  #list = byId('browse-list', HTMLUListElement);
  #parts;

  /**
   * @param {object} parts
   * @param {() => Room[]} parts.rooms the public ones that are known
   * @param {() => boolean} parts.hasMore
   * @param {() => Promise<void>} parts.loadMore
   * @param {(name: string) => void} parts.open
   * @param {(room: Room) => Promise<boolean>} parts.join
   * @param {() => void} parts.create
   */
  constructor(parts) {
    this.#parts = parts;
    byId('browse', HTMLButtonElement).addEventListener('click', () => this.open());
    byId('browse-close', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    byId('browse-new', HTMLButtonElement).addEventListener('click', () => {
      this.#dialog.close();
      parts.create();
    });
    this.#filter.addEventListener('input', () => this.#search());
  }

  open() {
    this.#filter.value = '';
    this.#dialog.showModal();
    this.#search();
  }

  /** Shows what is known, and looks further as long as that is little. */
  async #search() {
    const asked = this.#filter.value;
    const { hasMore, loadMore } = this.#parts;
    for (let pages = 0; pages < MOST_PAGES && this.#draw() < MOST_SHOWN && hasMore(); pages += 1) {
      try {
        await loadMore();
      } catch {
        return setText(this.#note, 'The server does not answer. These rooms are known here.');
      }
      if (asked !== this.#filter.value || !this.#dialog.open) return;
    }
    this.#draw();
  }

  /** @returns {number} how many fit */
  #draw() {
    const wanted = folded(this.#filter.value.trim());
    const rooms = this.#parts.rooms().filter(({ title, name }) => folded(title).includes(wanted) || name.includes(wanted));
    this.#list.replaceChildren(...rooms.slice(0, MOST_SHOWN).map((room) => this.#item(room)));
    const more = rooms.length > MOST_SHOWN || this.#parts.hasMore();
    setText(this.#note, more ? 'There are more: type a part of the name.' : rooms.length ? '' : 'No public room by this name.');
    return rooms.length;
  }

  /** @param {Room} room */
  #item(room) {
    const { memberCount, member } = room.info;
    const open = button(member ? 'Open' : 'Join', 'button button--small', () => this.#take(room));
    open.setAttribute('aria-label', `${open.textContent} ${room.title}`);
    // Looking at it does not take joining.
    const look = button(room.title, 'people__name people__link', () => this.#look(room));
    const count = `${memberCount} ${memberCount === 1 ? 'member' : 'members'}`;
    return element('li', 'people__item', element('span', 'rooms__sign', '#'), look,
      element('span', 'people__count', count), open);
  }

  /** @param {Room} room */
  #look(room) {
    this.#dialog.close();
    this.#parts.open(room.name);
  }

  /** @param {Room} room */
  async #take(room) {
    if (room.info.member || (await this.#parts.join(room))) this.#look(room);
  }
}
