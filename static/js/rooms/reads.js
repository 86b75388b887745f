// Tells the server how far the user has read each room: seldom, and not at the same instant as everyone else there.

import { compareCursors } from '../net/cursor.js';

const SPREAD_MS = 1000;
const SPREAD_EACH_MS = 20; // for each member: a room of five hundred tells what it has read within ten seconds
const SPREAD_MAX_MS = 30_000;

export class Reads {
  /** Room -> how far the server is to know. @type {Map<string, string>} */
  #untold = new Map();
  /** @type {Map<string, string>} */
  #told = new Map();
  /** @type {any} */ #timer = null;
  #parts;

  /**
   * @param {object} parts
   * @param {(room: string, cursor: string) => Promise<void>} parts.post
   * @param {import('../net/clock.js').Clock} parts.clock
   * @param {() => number} parts.random
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * @param {string} room
   * @param {string} cursor
   * @param {number} members how many the room has
   */
  read(room, cursor, members) {
    const before = this.#untold.get(room) ?? this.#told.get(room);
    if (before && compareCursors(cursor, before) <= 0) return;
    this.#untold.set(room, cursor);
    if (this.#timer !== null) return;
    const { clock, random } = this.#parts;
    const spreadMs = Math.min(SPREAD_MS + members * SPREAD_EACH_MS, SPREAD_MAX_MS);
    this.#timer = clock.setTimeout(() => this.tell(), random() * spreadMs);
  }

  stop() {
    this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Now: the user goes elsewhere. */
  tell() {
    this.stop();
    for (const [room, cursor] of this.#untold) {
      this.#told.set(room, cursor);
      // What is lost is made good by the next one.
      this.#parts.post(room, cursor).catch(() => this.#told.delete(room));
    }
    this.#untold.clear();
  }
}
