// The list of rooms in the sidebar: direct messages, then rooms, each by name.

import { avatar } from './avatar.js';
import { byId, element, icon } from './dom.js';
import { repeated, shortId } from './text.js';

/** @typedef {import('../rooms/room.js').Room} Room */
/** @typedef {{node: HTMLLIElement, link: HTMLAnchorElement, state: string}} Item */

export class RoomList {
  #container = byId('rooms', HTMLDivElement);
  #parts;
  #direct = section('Direct messages');
  #rooms = section('Rooms');
  #shown = '';
  #current = '';
  /** Each room's item for as long as it is listed: one that is replaced while it is pressed is never clicked. @type {Map<string, Item>} */
  #items = new Map();

  /**
   * @param {object} parts
   * @param {(name: string) => void} parts.open
   * @param {(name: string) => string} parts.path the room's address, for "open in a new tab"
   * @param {(name: string) => boolean} parts.isMuted
   */
  constructor(parts) {
    this.#parts = parts;
    for (const { heading, list } of [this.#direct, this.#rooms]) this.#container.append(heading, list);
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
    const isDirect = (/** @type {Room} */ { info }) => info.visibility === 'direct';
    this.#show(this.#direct, shown.filter(isDirect), current);
    this.#show(this.#rooms, shown.filter((room) => !isDirect(room)), current);
    const names = new Set(shown.map(({ name }) => name));
    for (const name of this.#items.keys()) if (!names.has(name)) this.#items.delete(name);
    if (current && current.name !== this.#current) this.#items.get(current.name)?.link.scrollIntoView({ block: 'nearest' });
    this.#current = current?.name ?? '';
  }

  /**
   * @param {Section} section
   * @param {Room[]} rooms
   * @param {Room | null} current
   */
  #show({ heading, list }, rooms, current) {
    heading.hidden = list.hidden = rooms.length === 0;
    const shared = repeated(rooms.map(({ title }) => title));
    const nodes = rooms.map((room) => this.#item(room, room === current, shared.has(room.title)));
    if (nodes.length !== list.children.length || nodes.some((node, index) => node !== list.children[index])) {
      const focused = document.activeElement;
      list.replaceChildren(...nodes);
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
    }
  }

  /**
   * @param {Room} room
   * @param {boolean} isCurrent
   * @param {boolean} isShared whether another has the same title
   */
  #item(room, isCurrent, isShared) {
    const item = this.#items.get(room.name) ?? this.#makeItem(room);
    const muted = this.#parts.isMuted(room.name);
    const state = JSON.stringify([summary(room), isCurrent, isShared, muted]);
    if (item.state !== state) fill(item.link, room, { isCurrent, isShared, muted });
    item.state = state;
    return item.node;
  }

  /** @param {Room} room @returns {Item} */
  #makeItem({ name }) {
    const link = element('a', 'rooms__item');
    link.href = this.#parts.path(name);
    link.dataset.room = name;
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#parts.open(name);
    });
    const item = { node: element('li', '', link), link, state: '' };
    this.#items.set(name, item);
    return item;
  }
}

/** @typedef {{heading: HTMLElement, list: HTMLUListElement}} Section */

/** @param {string} heading @returns {Section} */
function section(heading) {
  return { heading: element('h2', 'rooms__heading', heading), list: element('ul', 'rooms__list') };
}

/**
 * @param {HTMLAnchorElement} link
 * @param {Room} room
 * @param {{isCurrent: boolean, isShared: boolean, muted: boolean}} facts
 */
function fill(link, room, { isCurrent, isShared, muted }) {
  link.classList.toggle('rooms__item--unread', room.unread > 0 && !muted);
  link.classList.toggle('rooms__item--muted', muted);
  link.title = room.title;
  if (isCurrent) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
  link.replaceChildren(
    sign(room),
    element('bdi', 'rooms__title', room.title),
    ...(isShared ? [element('span', 'rooms__id', shortId(room.name))] : []),
    ...(muted ? [mutedMark()] : []),
    ...(room.unread ? [unreadBadge(room.unread, room.info.visibility === 'direct' && !muted)] : []),
  );
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
