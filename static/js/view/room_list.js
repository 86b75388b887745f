// The list of rooms in the sidebar.

import { byId, element, icon } from './dom.js';
import { repeated, shortId } from './text.js';

/** @typedef {import('../rooms/room.js').Room} Room */

export class RoomList {
  #container = byId('rooms', HTMLDivElement);
  #open;
  #path;
  #shown = '';

  /**
   * @param {(name: string) => void} open
   * @param {(name: string) => string} path the room's address, for "open in a new tab"
   */
  constructor(open, path) {
    this.#open = open;
    this.#path = path;
  }

  /**
   * @param {{own: Room[], others: Room[]}} rooms
   * @param {Room | null} current
   */
  show({ own, others }, current) {
    // Messages come far more often than this list changes.
    const state = JSON.stringify([current?.name, own.map(summary), others.map(summary)]);
    if (state === this.#shown) return;
    this.#shown = state;
    const focused = document.activeElement?.getAttribute('data-room');
    this.#container.replaceChildren(
      ...this.#section('Your rooms', own, current),
      ...this.#section('Public rooms', others, current),
    );
    if (focused) this.#link(focused)?.focus();
  }

  /** @param {string} name */
  #link(name) {
    const links = this.#container.querySelectorAll('a');
    return [...links].find((link) => link.dataset.room === name);
  }

  /**
   * @param {string} heading
   * @param {Room[]} rooms
   * @param {Room | null} current
   */
  #section(heading, rooms, current) {
    if (!rooms.length) return [];
    const shared = repeated(rooms.map(({ title }) => title));
    const list = element('ul', 'rooms__list', ...rooms.map((room) => element('li', '', this.#item(room, current, shared))));
    return [element('h2', 'rooms__heading', heading), list];
  }

  /**
   * @param {Room} room
   * @param {Room | null} current
   * @param {Set<string>} shared titles that more than one has
   */
  #item(room, current, shared) {
    const link = element('a', 'rooms__item', sign(room), element('bdi', 'rooms__title', room.title));
    link.href = this.#path(room.name);
    link.dataset.room = room.name;
    link.title = room.title;
    if (shared.has(room.title)) link.append(element('span', 'rooms__id', shortId(room.name)));
    if (room === current) link.setAttribute('aria-current', 'page');
    if (isThere(room)) link.append(presenceDot());
    if (room.unread) link.append(unreadBadge(room.unread));
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#open(room.name);
    });
    return link;
  }
}

/** @param {Room} room */
function summary({ name, title, unread, info }) {
  return [name, title, unread, info.visibility, isThere({ info })];
}

/** Whether the other one of a direct room is online. @param {Pick<Room, 'info'>} room */
function isThere({ info }) {
  return info.visibility === 'direct' && (info.onlineCount ?? 0) > 1;
}

function presenceDot() {
  const dot = element('span', 'presence presence--online presence--bare');
  dot.setAttribute('role', 'img');
  dot.setAttribute('aria-label', 'Online');
  dot.title = 'Online';
  return dot;
}

/** @param {Room} room */
export function sign({ info }) {
  const mark = element('span', 'rooms__sign');
  mark.setAttribute('aria-hidden', 'true');
  mark.append(info.visibility === 'public' ? '#' : info.visibility === 'direct' ? '@' : icon('lock'));
  return mark;
}

/** @param {number} count */
function unreadBadge(count) {
  const badge = element('span', 'badge', count > 99 ? '99+' : String(count));
  badge.setAttribute('aria-label', `${count} unread`);
  return badge;
}
