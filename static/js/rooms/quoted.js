// Messages that others answer and that are not loaded: each is asked for once, and again only after a while.

import { asApiError } from '../net/api_error.js';

/** @typedef {import('../net/shapes.js').Message} Message */
/** @typedef {import('./room.js').Room} Room */

const MOST_KEPT = 500;
const AGAIN_MS = 10_000; // after an outage, or a refusal for now

export class Quoted {
  /** Null: gone, or not for this user. @type {Map<string, Message | null>} */
  #known = new Map();
  /** Who waits for each that is asked for. @type {Map<string, Set<() => void>>} */
  #waiting = new Map();
  #load;
  #clock;

  /**
   * @param {(id: string) => Promise<Message>} load
   * @param {import('../net/clock.js').Clock} clock
   */
  constructor(load, clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /**
   * @param {Room} room
   * @param {string} id
   * @param {() => void} loaded
   * @returns {Pick<Message, 'sender' | 'body' | 'deletedAt'> | null | undefined} undefined while it is asked for
   */
  get(room, id, loaded) {
    const here = room.timeline.byId(id) ?? room.past?.timeline.byId(id) ?? this.#known.get(id);
    if (here !== undefined) return here;
    const waiting = this.#waiting.get(id);
    if (waiting) waiting.add(loaded);
    else this.#ask(room, id, new Set([loaded]));
    return undefined;
  }

  /**
   * @param {Room} room
   * @param {string} id
   * @param {Set<() => void>} waiting
   */
  async #ask(room, id, waiting) {
    this.#waiting.set(id, waiting);
    try {
      const message = await this.#load(id);
      this.#keep(id, message.room === room.name ? message : null);
    } catch (error) {
      const { retryable, retryAfterMs } = asApiError(error);
      if (retryable) return this.#again(room, id, waiting, Math.max(retryAfterMs ?? 0, AGAIN_MS));
      this.#keep(id, null);
    }
    this.#waiting.delete(id);
    for (const loaded of waiting) loaded();
  }

  /**
   * @param {Room} room
   * @param {string} id
   * @param {Set<() => void>} waiting
   * @param {number} delayMs
   */
  #again(room, id, waiting, delayMs) {
    this.#clock.setTimeout(() => void this.#ask(room, id, waiting), delayMs);
  }

  /**
   * @param {string} id
   * @param {Message | null} message
   */
  #keep(id, message) {
    if (this.#known.size >= MOST_KEPT) this.#known.clear();
    this.#known.set(id, message);
  }
}
