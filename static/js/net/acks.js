// Tells the server how far this client has received: at most once a second, and not at the same
// instant as everyone else in the room.

const SPREAD_MS = 1000; // the contract's "after a random 0–1 s"
const APART_MS = 1000; // the contract's "at most one ack a second"

export class Acks {
  /** @type {string | null} */ #cursor = null;
  /** @type {any} */ #timer = null;
  #lastMs = -Infinity;
  #parts;

  /**
   * @param {object} parts
   * @param {(cursor: string) => Promise<void>} parts.post
   * @param {import('./clock.js').Clock} parts.clock
   * @param {() => number} parts.random
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {string} cursor */
  received(cursor) {
    this.#cursor = cursor;
    if (this.#timer !== null) return;
    const { clock, random } = this.#parts;
    const earliestMs = this.#lastMs + APART_MS - clock.now();
    this.#timer = clock.setTimeout(() => this.#post(), Math.max(random() * SPREAD_MS, earliestMs));
  }

  stop() {
    this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #post() {
    this.#timer = null;
    this.#lastMs = this.#parts.clock.now();
    const cursor = this.#cursor;
    // A lost ack is made good by the next one, or by the cursor of the next stream.
    if (cursor) await this.#parts.post(cursor).catch(() => {});
  }
}
