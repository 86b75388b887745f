// Tells the server how far the user has read each room: at most once a second.

import { compareCursors } from './cursor.js';

const APART_MS = 1000;

export class Reads {
  /** Room -> how far the server is to know. @type {Map<string, string>} */
  #untold = new Map();
  /** @type {Map<string, string>} */
  #told = new Map();
  /** @type {any} */ #timer = null;
  #lastMs = -Infinity;
  #parts;

  /**
   * @param {object} parts
   * @param {(room: string, cursor: string) => Promise<void>} parts.post
   * @param {import('../net/clock.js').Clock} parts.clock
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * @param {string} room
   * @param {string} cursor
   */
  read(room, cursor) {
    const before = this.#untold.get(room) ?? this.#told.get(room);
    if (before && compareCursors(cursor, before) <= 0) return;
    this.#untold.set(room, cursor);
    if (this.#timer !== null) return;
    const { clock } = this.#parts;
    this.#timer = clock.setTimeout(() => this.#tell(), Math.max(0, this.#lastMs + APART_MS - clock.now()));
  }

  stop() {
    this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tell() {
    this.#timer = null;
    this.#lastMs = this.#parts.clock.now();
    for (const [room, cursor] of this.#untold) {
      this.#told.set(room, cursor);
      // What is lost is made good by the next one.
      this.#parts.post(room, cursor).catch(() => this.#told.delete(room));
    }
    this.#untold.clear();
  }
}
