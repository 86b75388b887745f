// The rooms and their last messages in this browser's database, to be shown when the server cannot be reached.
// Nothing depends on it: whatever fails, the page does without.

import { answerOf, inTime } from '../net/database_wait.js';
import { fieldsOf } from './entry.js';

/**
 * @typedef {import('../net/shapes.js').User} User
 * @typedef {import('../net/shapes.js').Message} Message
 * @typedef {import('../net/shapes.js').RoomInfo} RoomInfo
 * @typedef {import('./room.js').Room} Room
 */

/** @typedef {{userId: string, user: User, cursor: string, rooms: {info: RoomInfo, messages: Message[]}[]}} Kept */

const STORE = 'users';
const MOST_ROOMS = 500;
const MOST_MESSAGES = 50; // of a room that was opened; of others the last one

/**
 * What is worth keeping.
 * @param {User} user
 * @param {string} cursor up to where the connection has come
 * @param {Room[]} rooms
 * @returns {Kept}
 */
export function keptOf(user, cursor, rooms) {
  const own = rooms.filter(({ info }) => info.member).slice(0, MOST_ROOMS);
  return { userId: user.id, user, cursor, rooms: own.map((room) => ({ info: { ...room.info, unread: room.unread }, messages: lastOf(room) })) };
}

/** @param {Room} room @returns {Message[]} */
function lastOf({ timeline, info }) {
  const stored = timeline.entries.filter(({ id, cursor }) => id && cursor).slice(-MOST_MESSAGES);
  const messages = stored.map((entry) => /** @type {Message} */ (fieldsOf(/** @type {Message} */ (entry))));
  return messages.length || !info.lastMessage ? messages : [info.lastMessage];
}

export class KeptRooms {
  /** @type {Promise<IDBDatabase> | null} */
  #database = null;
  #factory;
  #name;
  #clock;

  /**
   * @param {IDBFactory | undefined} factory
   * @param {string} name
   * @param {import('../net/clock.js').Clock} clock
   */
  constructor(factory, name, clock) {
    this.#factory = factory;
    this.#name = name;
    this.#clock = clock;
  }

  /**
   * @param {string} userId
   * @returns {Promise<Kept | null>}
   */
  async load(userId) {
    return (await this.#do('readonly', (store) => store.get(userId))) ?? null;
  }

  /** @param {Kept} kept */
  async save(kept) {
    await this.#do('readwrite', (store) => store.put(kept));
  }

  /** @param {string} userId */
  async remove(userId) {
    await this.#do('readwrite', (store) => store.delete(userId));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} ask
   * @returns {Promise<any>} undefined where the database does not do it
   */
  async #do(mode, ask) {
    try {
      const database = await inTime(this.#database ??= this.#open(), this.#clock);
      const transaction = database.transaction(STORE, mode);
      const answer = answerOf(ask(transaction.objectStore(STORE)));
      transaction.commit?.(); // else Firefox drops what a page that is being left has asked for
      return await inTime(answer, this.#clock);
    } catch (error) {
      this.#database = null; // closed by the browser, perhaps: another time it may work
      console.warn('kept rooms', error);
      return undefined;
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    if (!this.#factory) throw new Error('no IndexedDB');
    const request = this.#factory.open(this.#name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'userId' });
    return answerOf(request);
  }
}
