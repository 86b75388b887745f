// All rooms this page knows, by name.

import { Room } from './room.js';

/** @typedef {import('../net/shapes.js').RoomInfo} RoomInfo */

export class RoomBook {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  #myId;

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

  /** @param {RoomInfo} info */
  put(info) {
    const known = this.#rooms.get(info.name);
    if (known) known.take(info);
    else this.#rooms.set(info.name, new Room(info, this.#myId));
    return /** @type {Room} */ (this.#rooms.get(info.name));
  }

  /**
   * Takes over a complete list: rooms that are not in it are gone for this user.
   * @param {RoomInfo[]} infos
   * @param {string} [kept] the open room: it may be newer than the list, and its own events tell when it is gone
   */
  replace(infos, kept) {
    const names = new Set([...infos.map((info) => info.name), kept]);
    for (const name of this.#rooms.keys()) if (!names.has(name)) this.#rooms.delete(name);
    for (const info of infos) this.put(info);
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
