// Who is writing in one room just now. Pure.

/** @typedef {import('../net/shapes.js').User} User */

export const SHOWN_MS = 6000; // the contract's; the server passes it on every three seconds

export class Typists {
  /** @type {Map<string, {name: string, untilMs: number}>} */
  #writing = new Map();

  /**
   * @param {User} user
   * @param {boolean} typing
   * @param {number} nowMs
   */
  heard({ id, name }, typing, nowMs) {
    if (typing) this.#writing.set(id, { name, untilMs: nowMs + SHOWN_MS });
    else this.#writing.delete(id);
  }

  /** Their message is there. @param {string} userId */
  wrote(userId) {
    this.#writing.delete(userId);
  }

  /** @param {number} nowMs */
  names(nowMs) {
    return [...this.#writing.values()].filter(({ untilMs }) => untilMs > nowMs).map(({ name }) => name);
  }
}
