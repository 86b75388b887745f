// What to send next: first in, first out per room, one in flight per room.
// Stored before it is sent, removed only after the answer. Pure: storage, sending and clock are handed in.

import { asApiError } from '../net/api_error.js';
import { backoffMs } from '../net/backoff.js';

/** @typedef {import('../net/shapes.js').Message} Message */
/** @typedef {import('../rooms/entry.js').Refusal} Refusal */

/**
 * @typedef {object} Item
 * @property {string} localId
 * @property {string} userId
 * @property {string} room
 * @property {string} body
 * @property {import('../net/shapes.js').Data | null} [data]
 * @property {string} createdAt
 * @property {number} order
 * @property {boolean} tried whether the server may have seen it
 * @property {Refusal | null} refusal set when it failed for good; then only the user can send it again
 */

/**
 * @typedef {object} OutboxStorage
 * @property {(userId: string) => Promise<Item[]>} load
 * @property {(userId: string) => Promise<Item[]>} others what other users of this browser have left, as far as it is known
 * @property {(item: Item) => Promise<void>} put
 * @property {(item: Item) => Promise<void>} remove
 */

/**
 * @typedef {object} OutboxCallbacks
 * @property {(item: Item, message: Message) => void} sent
 * @property {(item: Item) => void} failed
 * @property {() => void} changed the counts or the pause changed
 * @property {() => void} signedOut
 */

/**
 * @typedef {object} Line one room's queue state
 * @property {boolean} busy
 * @property {number} attempt
 * @property {any} timer
 */

export class Outbox {
  /** @type {Item[]} */ #items = [];
  /** @type {Set<string>} */ #stored = new Set();
  /** Since when they wait on this page. @type {WeakMap<Item, number>} */ #since = new WeakMap();
  /** @type {Map<string, Line>} */ #lines = new Map();
  #order = 0;
  #pausedUntilMs = -Infinity;
  #stopped = false;
  #parts;

  /**
   * @param {object} parts
   * @param {string} parts.userId
   * @param {OutboxStorage} parts.storage
   * @param {(item: Item) => Promise<Message>} parts.send
   * @param {(error: import('../net/api_error.js').ApiError) => Refusal} parts.explain
   * @param {import('../net/clock.js').Clock} parts.clock
   * @param {() => number} parts.random
   * @param {OutboxCallbacks} parts.on
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** What an earlier page left behind. Nothing is sent before `wake`. */
  async load() {
    const items = await this.#parts.storage.load(this.#parts.userId);
    this.#items = items.filter((item) => item.userId === this.#parts.userId).sort((a, b) => a.order - b.order);
    for (const item of this.#items) {
      item.tried = true; // how far the earlier page got is unknown
      this.#stored.add(item.localId);
      this.#since.set(item, this.#parts.clock.now());
    }
    return this.#items.slice();
  }

  /** @param {Pick<Item, 'localId' | 'room' | 'body' | 'createdAt' | 'data'>} draft */
  async add(draft) {
    // After everything from an earlier page, even if the clock was set back in between.
    this.#order = Math.max(this.#order, this.#items.at(-1)?.order ?? 0, this.#parts.clock.date()) + 1;
    const item = { ...draft, userId: this.#parts.userId, order: this.#order, tried: false, refusal: null };
    this.#items.push(item);
    this.#since.set(item, this.#parts.clock.now());
    this.#parts.on.changed();
    await this.#store(item);
    this.#stored.add(item.localId);
    this.#next(item.room);
  }

  /** @param {string} localId */
  async retry(localId) {
    const item = this.#items.find((each) => each.localId === localId);
    if (!item?.refusal) return;
    item.refusal = null;
    this.#since.set(item, this.#parts.clock.now());
    this.#line(item.room).attempt = 0;
    this.#parts.on.changed();
    await this.#store(item);
    this.#next(item.room);
  }

  /**
   * Forgets a message. The server may have it already if it was tried and not refused.
   * @param {string} localId
   * @returns {Promise<'never_sent' | 'maybe_sent'>}
   */
  async discard(localId) {
    const item = this.#items.find((each) => each.localId === localId);
    if (!item) return 'maybe_sent';
    const maybeSent = item.tried && !item.refusal;
    await this.#forget(item);
    return maybeSent ? 'maybe_sent' : 'never_sent';
  }

  /**
   * The event was quicker than the answer, or the answer was lost: the server has the message.
   * @param {string} localId
   */
  async confirm(localId) {
    const item = this.#items.find((each) => each.localId === localId);
    if (item) await this.#forget(item);
  }

  /** The network or the tab is back: try everything at once, but keep a pause the server asked for. */
  wake() {
    if (this.#stopped) return;
    for (const line of this.#lines.values()) {
      line.attempt = 0;
      this.#cancel(line);
    }
    for (const room of new Set(this.#items.map((item) => item.room))) this.#next(room);
  }

  stop() {
    this.#stopped = true;
    for (const line of this.#lines.values()) this.#cancel(line);
  }

  get pending() {
    return this.#items.filter((item) => !item.refusal);
  }

  get failed() {
    return this.#items.filter((item) => item.refusal);
  }

  /** For how long the one that waits longest has waited. */
  get waitingMs() {
    const now = this.#parts.clock.now();
    return Math.max(0, ...this.pending.map((item) => now - (this.#since.get(item) ?? now)));
  }

  /** Until when the server's rate limit holds; a time in the past when it does not. */
  get pausedUntilMs() {
    return this.#pausedUntilMs;
  }

  /** @param {string} room */
  #line(room) {
    const known = this.#lines.get(room);
    if (known) return known;
    const line = { busy: false, attempt: 0, timer: null };
    this.#lines.set(room, line);
    return line;
  }

  /** @param {string} room */
  #next(room) {
    const line = this.#line(room);
    const head = this.#items.find((item) => item.room === room && !item.refusal);
    if (this.#stopped || line.busy || line.timer !== null || !head || !this.#stored.has(head.localId)) return;
    const pauseMs = this.#pausedUntilMs - this.#parts.clock.now();
    if (pauseMs > 0) this.#nextAfter(line, room, pauseMs);
    else this.#deliver(head, line);
  }

  /**
   * @param {Line} line
   * @param {string} room
   * @param {number} delayMs
   */
  #nextAfter(line, room, delayMs) {
    line.timer = this.#parts.clock.setTimeout(() => {
      line.timer = null;
      this.#parts.on.changed();
      this.#next(room);
    }, delayMs);
  }

  /** @param {Line} line */
  #cancel(line) {
    if (line.timer !== null) this.#parts.clock.clearTimeout(line.timer);
    line.timer = null;
  }

  /**
   * @param {Item} item
   * @param {Line} line
   */
  async #deliver(item, line) {
    line.busy = true;
    try {
      item.tried = true;
      const message = await this.#parts.send(item);
      line.attempt = 0;
      this.#parts.on.sent(item, message);
      await this.#forget(item);
    } catch (error) {
      await this.#notSent(item, line, asApiError(error));
    } finally {
      line.busy = false;
    }
    this.#next(item.room);
  }

  /**
   * @param {Item} item
   * @param {Line} line
   * @param {import('../net/api_error.js').ApiError} error
   */
  async #notSent(item, line, error) {
    if (error.signedOut) {
      this.stop();
      this.#parts.on.signedOut();
    } else if (error.retryable) {
      this.#waitToRepeat(item.room, line, error);
    } else if (this.#items.includes(item)) {
      item.refusal = this.#parts.explain(error);
      this.#parts.on.failed(item);
      await this.#store(item);
    }
  }

  /**
   * @param {string} room
   * @param {Line} line
   * @param {import('../net/api_error.js').ApiError} error
   */
  #waitToRepeat(room, line, error) {
    const leastMs = error.retryAfterMs ?? 0;
    // The limit is per user, so every room waits.
    if (error.status === 429) this.#pausedUntilMs = this.#parts.clock.now() + Math.max(leastMs, 500);
    const delayMs = error.status === 429 ? leastMs : Math.max(backoffMs(line.attempt, this.#parts.random), leastMs);
    if (error.status !== 429) line.attempt += 1;
    this.#nextAfter(line, room, delayMs);
    this.#parts.on.changed();
  }

  /** @param {Item} item */
  async #forget(item) {
    this.#items = this.#items.filter((each) => each !== item);
    this.#stored.delete(item.localId);
    this.#parts.on.changed();
    await this.#parts.storage.remove(item).catch(warn);
  }

  /**
   * A full disk must not keep a message from being sent.
   * @param {Item} item
   */
  async #store(item) {
    await this.#parts.storage.put(item).catch(warn);
  }
}

/** @param {unknown} error */
function warn(error) {
  console.error('outbox storage', error);
}
