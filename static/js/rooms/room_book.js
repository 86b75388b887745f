// All rooms this page knows, by name.

import { Room } from './room.js';

/** @typedef {import('../net/shapes.js').RoomInfo} RoomInfo */

export class RoomBook {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  #myId;
  /** How many times presence was told, of any room. An answer that was asked for before may be older. */
  presences = 0;

  /** @param {string} myId */
  constructor(myId) {
    this.#myId = myId;
  }

  /** @param {string} name */
  get(name) {
    return this.#rooms.get(name);
  }

  get all() {
    return [...this.#rooms.values()];
  }

  /**
   * How many are online now, as a signal says it.
   * @param {Room} room
   * @param {number} onlineCount
   */
  tellPresence(room, onlineCount) {
    room.presence = ++this.presences;
    room.info = { ...room.info, onlineCount };
  }

  /**
   * @param {RoomInfo} info
   * @param {number} [asked] how many presences had been told when it was asked for
   */
  put(info, asked = this.presences) {
    const known = this.#rooms.get(info.name);
    if (known) known.take(known.presence > asked ? { ...info, onlineCount: known.info.onlineCount } : info);
    else this.#rooms.set(info.name, new Room(info, this.#myId));
    return /** @type {Room} */ (this.#rooms.get(info.name));
  }

  /**
   * Takes over a complete list: rooms that are not in it are gone for this user.
   * @param {RoomInfo[]} infos
   * @param {string} [kept] the open room: it may be newer than the list, and its own events tell when it is gone
   * @param {number} [asked] as in `put`
   */
  replace(infos, kept, asked) {
    const names = new Set([...infos.map((info) => info.name), kept]);
    for (const name of this.#rooms.keys()) if (!names.has(name)) this.#rooms.delete(name);
    for (const info of infos) this.put(info, asked);
  }

  /** @param {string} name */
  remove(name) {
    this.#rooms.delete(name);
  }

  /** By title: a list that jumps with every message is hard to aim at. */
  get sorted() {
    const own = this.all.filter((room) => room.info.member);
    const others = this.all.filter((room) => !room.info.member);
    return {
      own: own.sort((a, b) => a.title.localeCompare(b.title)),
      others: others.sort((a, b) => a.title.localeCompare(b.title)),
    };
  }
}
