// The outbox's storage in IndexedDB, and nothing else.

import { answerOf } from '../net/database_wait.js';

/** @typedef {import('./outbox.js').Item} Item */
/** @typedef {Item & {key: string}} Row */

const STORE = 'messages';
const MOST_OTHERS = 200; // nobody looks through more
const VERSION = 1; // a later version must migrate the rows: they are messages nobody else has

/**
 * Rejects where IndexedDB is missing or refused (private windows, blocked storage).
 * @param {IDBFactory | undefined} factory
 * @param {string} name
 * @param {() => void} closed called when the browser has closed the connection
 * @returns {Promise<import('./outbox.js').OutboxStorage>}
 */
export async function openOutboxDb(factory, name, closed) {
  if (!factory) throw new Error('no IndexedDB');
  const database = await openDatabase(factory, name);
  database.onclose = closed;
  // Another page deletes it or brings a later version: it must not wait for this one.
  database.onversionchange = () => {
    database.close();
    closed();
  };
  return new OutboxDb(database);
}

class OutboxDb {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * @param {string} userId
   * @returns {Promise<Item[]>}
   */
  async load(userId) {
    const store = this.#database.transaction(STORE, 'readonly').objectStore(STORE);
    return answerOf(store.index('userId').getAll(userId));
  }

  /** @param {string} userId */
  async others(userId) {
    const store = this.#database.transaction(STORE, 'readonly').objectStore(STORE);
    const rows = await answerOf(store.getAll(undefined, MOST_OTHERS));
    return /** @type {Item[]} */ (rows).filter((item) => item.userId !== userId);
  }

  /** @param {Item} item */
  async put(item) {
    // Without 'strict' the transaction may complete before the disk has it.
    const transaction = this.#database.transaction(STORE, 'readwrite', { durability: 'strict' });
    transaction.objectStore(STORE).put({ ...item, key: keyOf(item) });
    await endOf(transaction);
  }

  /** @param {Item} item */
  async remove(item) {
    // Relaxed will do: a message that comes back after a crash is sent again and answered as a replay.
    const transaction = this.#database.transaction(STORE, 'readwrite');
    transaction.objectStore(STORE).delete(keyOf(item));
    await endOf(transaction);
  }
}

export class MemoryStorage {
  /** @type {Map<string, Item>} */
  #items = new Map();

  /** @param {string} userId */
  async load(userId) {
    return [...this.#items.values()].filter((item) => item.userId === userId).map((item) => ({ ...item }));
  }

  /** @param {string} userId */
  async others(userId) {
    return [...this.#items.values()].filter((item) => item.userId !== userId);
  }

  /** @param {Item} item */
  async put(item) {
    this.#items.set(keyOf(item), { ...item });
  }

  /** @param {Item} item */
  async remove(item) {
    this.#items.delete(keyOf(item));
  }
}

/** @param {Item} item */
function keyOf({ userId, localId }) {
  return `${userId} ${localId}`; // one string: some old engines have no compound keys
}

/**
 * @param {IDBFactory} factory
 * @param {string} name
 * @returns {Promise<IDBDatabase>}
 */
function openDatabase(factory, name) {
  const request = factory.open(name, VERSION);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(STORE, { keyPath: 'key' });
    store.createIndex('userId', 'userId');
  };
  return answerOf(request);
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function endOf(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}
