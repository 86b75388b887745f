// The list of rooms in the sidebar: direct messages, then rooms, each by name.

import { avatar } from './avatar.js';
import { byId, element, icon } from './dom.js';
import { repeated, shortId } from './text.js';

/** @typedef {import('../rooms/room.js').Room} Room */

export class RoomList {
  #container = byId('rooms', HTMLDivElement);
  #parts;
  #shown = '';
  #current = '';

  /**
   * @param {object} parts
   * @param {(name: string) => void} parts.open
   * @param {(name: string) => string} parts.path the room's address, for "open in a new tab"
   * @param {(name: string) => boolean} parts.isMuted
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * @param {{own: Room[], others: Room[]}} rooms
   * @param {Room | null} current
   */
  show({ own, others }, current) {
    const shown = current && !own.includes(current) && others.includes(current) ? [...own, current] : own;
    // Messages come far more often than this list changes.
    const state = JSON.stringify([current?.name, shown.map((room) => [...summary(room), this.#parts.isMuted(room.name)])]);
    if (state === this.#shown) return;
    this.#shown = state;
    const focused = document.activeElement?.getAttribute('data-room');
    const isDirect = (/** @type {Room} */ { info }) => info.visibility === 'direct';
    this.#container.replaceChildren(
      ...this.#section('Direct messages', shown.filter(isDirect), current),
      ...this.#section('Rooms', shown.filter((room) => !isDirect(room)), current),
    );
    if (focused) this.#link(focused)?.focus();
    if (current && current.name !== this.#current) this.#link(current.name)?.scrollIntoView({ block: 'nearest' });
    this.#current = current?.name ?? '';
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
    const muted = this.#parts.isMuted(room.name);
    const link = element('a', 'rooms__item', sign(room), element('bdi', 'rooms__title', room.title));
    link.classList.toggle('rooms__item--unread', room.unread > 0 && !muted);
    link.classList.toggle('rooms__item--muted', muted);
    link.href = this.#parts.path(room.name);
    link.dataset.room = room.name;
    link.title = room.title;
    if (shared.has(room.title)) link.append(element('span', 'rooms__id', shortId(room.name)));
    if (room === current) link.setAttribute('aria-current', 'page');
    if (muted) link.append(mutedMark());
    if (room.unread) link.append(unreadBadge(room.unread, room.info.visibility === 'direct' && !muted));
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#parts.open(room.name);
    });
    return link;
  }
}

/** @param {Room} room */
function summary({ name, title, unread, info }) {
  return [name, title, unread, info.visibility, isThere({ info })];
}

/** Whether the other one of a direct room is online. @param {Pick<Room, 'info'>} room */
export function isThere({ info }) {
  return info.visibility === 'direct' && (info.onlineCount ?? 0) > 1;
}

/**
 * What stands before a room's title: a sign of its kind, or who it is with.
 * @param {Pick<Room, 'name' | 'title' | 'info'>} room
 */
export function sign(room) {
  const mark = element('span', 'rooms__sign');
  if (room.info.visibility === 'direct') {
    const there = isThere(room);
    const dot = element('span', there ? 'dot dot--online' : 'dot');
    dot.setAttribute('role', 'img');
    dot.setAttribute('aria-label', there ? 'Online' : 'Offline');
    mark.append(avatar({ id: room.name, name: room.title }, 'small'), dot);
  } else {
    mark.setAttribute('aria-hidden', 'true');
    mark.append(room.info.visibility === 'public' ? '#' : icon('lock'));
  }
  return mark;
}

function mutedMark() {
  const mark = element('span', 'rooms__muted', icon('muted'));
  mark.setAttribute('role', 'img');
  mark.setAttribute('aria-label', 'Muted');
  return mark;
}

/**
 * @param {number} count
 * @param {boolean} loud
 */
function unreadBadge(count, loud) {
  const badge = element('span', loud ? 'badge' : 'badge badge--quiet', count > 99 ? '99+' : String(count));
  badge.setAttribute('role', 'img');
  badge.setAttribute('aria-label', `${count} unread`);
  return badge;
}
