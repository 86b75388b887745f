// Keeps unsent messages in the browser's database for as long as that works, and in memory besides.
// A database may close its connection, never answer, or be full: each wait has a bound, and nothing depends on one.

import { inTime } from '../net/database_wait.js';

/**
 * @typedef {import('./outbox.js').Item} Item
 * @typedef {import('./outbox.js').OutboxStorage} OutboxStorage
 */

/** @implements {OutboxStorage} */
export class LastingStorage {
  /** What the database should hold of this page's users. @type {Map<string, Item>} */
  #items = new Map();
  /** @type {Promise<OutboxStorage> | null} */
  #database = null;
  #lasts = true;
  #emptied = false;
  #parts;

  /**
   * @param {object} parts
   * @param {(closed: () => void) => Promise<OutboxStorage>} parts.open calls back when the browser has closed it
   * @param {import('../net/clock.js').Clock} parts.clock
   * @param {() => void} parts.lost from here on a reload loses what is not sent
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {string} userId */
  async load(userId) {
    const items = await this.#try((database) => database.load(userId), () => this.#reopen((database) => database.load(userId)));
    for (const item of items ?? []) if (!this.#items.has(item.localId)) this.#items.set(item.localId, item);
    return [...this.#items.values()].filter((item) => item.userId === userId).map((item) => ({ ...item }));
  }

  /** @param {string} userId */
  async others(userId) {
    const ask = (/** @type {OutboxStorage} */ database) => database.others(userId);
    return (await this.#try(ask, () => this.#reopen(ask))) ?? [];
  }

  /** @param {Item} item */
  async put(item) {
    this.#items.set(item.localId, { ...item });
    await this.#try((database) => (this.#emptied ? this.#writeAll(database) : database.put(item)), () => this.#writeAnew());
  }

  /** @param {Item} item */
  async remove(item) {
    this.#items.delete(item.localId);
    await this.#try((database) => database.remove(item), () => this.#reopen((database) => database.remove(item)));
  }

  /** The browser has closed the connection, as it does when it empties the database. */
  #closed() {
    this.#database = null;
    this.#emptied = true;
    if (this.#items.size) void this.#try((database) => this.#writeAll(database), () => this.#writeAnew());
  }

  /** With another connection; the database may have been emptied. */
  #writeAnew() {
    return this.#reopen((database) => this.#writeAll(database));
  }

  /** @param {OutboxStorage} database */
  async #writeAll(database) {
    for (const item of this.#items.values()) await database.put(item);
    this.#emptied = false;
  }

  /**
   * Asks the database, once more by other means if that fails, and then never again.
   * @template T
   * @param {(database: OutboxStorage) => Promise<T>} ask
   * @param {() => Promise<T>} again
   * @returns {Promise<T | undefined>}
   */
  async #try(ask, again) {
    if (!this.#lasts) return undefined;
    try {
      return await this.#ask(ask);
    } catch (first) {
      console.warn('outbox storage, opened again:', first);
    }
    try {
      return await again();
    } catch (error) {
      console.error('outbox storage', error);
      if (this.#lasts) this.#parts.lost();
      this.#lasts = false;
      return undefined;
    }
  }

  /**
   * @template T
   * @param {(database: OutboxStorage) => Promise<T>} ask
   */
  #reopen(ask) {
    this.#database = null;
    return this.#ask(ask);
  }

  /**
   * @template T
   * @param {(database: OutboxStorage) => Promise<T>} ask
   */
  async #ask(ask) {
    this.#database ??= this.#parts.open(() => this.#closed());
    return inTime(this.#database.then(ask), this.#parts.clock);
  }
}
