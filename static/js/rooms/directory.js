// Keeps the book of rooms in step with the server.

import { asApiError } from '../net/api_error.js';

/** @typedef {import('./room.js').Room} Room */

const LISTS_APART_MS = 30_000; // someone who switches tabs a lot should not cause a request each time

export class Directory {
  #listedAtMs = -Infinity;
  /** @type {string | null} */
  #more = null;
  /** Rooms that were asked for while the server did not answer. @type {Set<string>} */
  unanswered = new Set();
  /** @type {Map<string, Promise<Room | null>>} */
  #lookUps = new Map();
  #parts;

  /**
   * @param {object} parts
   * @param {Pick<import('../net/api.js').Api, 'rooms' | 'room'>} parts.api
   * @param {import('./room_book.js').RoomBook} parts.rooms
   * @param {import('../net/clock.js').Clock} parts.clock
   * @param {() => void} parts.changed
   * @param {() => Room | null} parts.open the room on the screen
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @returns {Promise<string>} the cursor to start a stream from */
  async load() {
    const { api, rooms, clock, open, changed } = this.#parts;
    this.#listedAtMs = clock.now();
    const asked = rooms.presences;
    const first = await api.rooms();
    const infos = [...first.rooms];
    let { after } = first;
    // Own rooms come first. Of others' public ones there may be ten thousand: they are looked through on demand.
    while (after && infos.at(-1)?.member) {
      const page = await api.rooms(after);
      infos.push(...page.rooms);
      after = page.after;
    }
    this.#more = after;
    rooms.replace(infos, open()?.name, asked);
    changed();
    return first.cursor;
  }

  /**
   * The rooms as they were known when the server could last be reached.
   * @param {import('./kept_rooms.js').Kept} kept
   */
  restore({ rooms: known }) {
    const { rooms, changed } = this.#parts;
    rooms.replace(known.map(({ info }) => info));
    for (const { info, messages } of known) for (const message of messages) rooms.get(info.name)?.timeline.merge(message);
    changed();
  }

  /** Whether there are public rooms that are not in the book yet. */
  get hasMore() {
    return this.#more !== null;
  }

  /** The next page of public rooms. */
  async loadMore() {
    if (!this.#more) return;
    const { api, rooms, changed } = this.#parts;
    const asked = rooms.presences;
    const page = await api.rooms(this.#more);
    this.#more = page.after;
    for (const info of page.rooms) rooms.put(info, asked);
    changed();
  }

  /** No event announces other people's new public rooms: they are looked for when the user comes back. */
  refresh() {
    if (this.#parts.clock.now() - this.#listedAtMs < LISTS_APART_MS) return;
    this.load().catch(() => {}); // the next occasion will do
  }

  /**
   * Asks for a room; callers that ask while an answer is under way share it.
   * @param {string} name
   */
  lookUp(name) {
    const underWay = this.#lookUps.get(name) ?? this.#ask(name).finally(() => this.#lookUps.delete(name));
    this.#lookUps.set(name, underWay);
    return underWay;
  }

  /**
   * @param {string} name
   * @returns {Promise<Room | null>}
   */
  async #ask(name) {
    this.unanswered.delete(name);
    try {
      const { api, rooms, changed } = this.#parts;
      const asked = rooms.presences;
      const room = rooms.put(await api.room(name), asked);
      changed();
      return room;
    } catch (error) {
      if (asApiError(error).retryable) this.unanswered.add(name);
      return null; // not there, or not for this user, or no answer: the caller shows what it has
    }
  }

  /**
   * @param {string} name
   * @returns {Room | null} the room that is no more; null if it was not known
   */
  deleted(name) {
    const room = this.#parts.rooms.get(name) ?? null;
    this.#parts.rooms.remove(name);
    this.#parts.changed();
    return room;
  }

  /**
   * The user is no longer a member.
   * @param {string} name
   * @returns {Room | null} the room; null if nothing changed
   */
  left(name) {
    const room = this.#parts.rooms.get(name);
    if (!room?.info.member) return null;
    if (room.info.visibility !== 'public') this.#parts.rooms.remove(name);
    room.info = { ...room.info, member: false, memberCount: Math.max(0, room.info.memberCount - 1) };
    room.seen();
    return room;
  }
}
