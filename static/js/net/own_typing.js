// Tells the room that the user is writing, as often as the server passes it on.

const APART_MS = 3000;

export class OwnTyping {
  /** @type {string | null} the room that was told so */
  #room = null;
  #toldMs = -Infinity;
  #parts;

  /**
   * @param {object} parts
   * @param {(room: string, typing: boolean) => Promise<void>} parts.post
   * @param {import('./clock.js').Clock} parts.clock
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * What stands in the box now, by the user's hand.
   * @param {string} room
   * @param {string} text
   */
  wrote(room, text) {
    if (!text.trim()) return this.#stop(room);
    const now = this.#parts.clock.now();
    if (room === this.#room && now - this.#toldMs < APART_MS) return;
    this.#room = room;
    this.#toldMs = now;
    this.#tell(room, true);
  }

  /** The message itself says that the user has stopped. */
  sent() {
    this.#room = null;
  }

  /** @param {string} room */
  #stop(room) {
    if (this.#room === room) this.#tell(room, false);
    this.#room = null;
  }

  /**
   * @param {string} room
   * @param {boolean} typing
   */
  #tell(room, typing) {
    this.#parts.post(room, typing).catch(() => {}); // the next one will do
  }
}
