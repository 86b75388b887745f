// Loads pages of history into rooms, one request at a time for each room.

import { Past } from './past.js';

/** @typedef {import('./room.js').Room} Room */

const PAGE = 50; // the server's default, and about three screens
const LARGE_PAGE = 200; // the server's most
const UNREAD_PAGES = 5; // how far back the first unread message is looked for: nobody reads a thousand

export class Histories {
  /** @type {Map<Room, Promise<void>>} */
  #running = new Map();
  #api;
  #changed;

  /**
   * @param {Pick<import('../net/api.js').Api, 'history'>} api
   * @param {(room: Room) => void} changed
   */
  constructor(api, changed) {
    this.#api = api;
    this.#changed = changed;
  }

  /**
   * Waits for a request under way before it asks: that answer may be older than what this one must bring.
   * @param {Room} room
   */
  async newest(room) {
    for (let running = this.#running.get(room); running; running = this.#running.get(room)) await running;
    await this.#run(room, async () => {
      room.takeNewest(await this.#api.history(room.name, { limit: PAGE }));
    });
  }

  /**
   * Older ones of what is shown.
   * @param {Room} room
   * @param {number} [limit]
   */
  async older(room, limit = PAGE) {
    const { shown } = room;
    const { before } = shown;
    if (room.history !== 'ready' || !shown.hasMore || !before) return;
    await this.#run(room, async () => {
      shown.takeOlder(await this.#api.history(room.name, { before, limit }));
    });
  }

  /** Newer ones of a part far back. @param {Room} room */
  async newer(room) {
    const { past } = room;
    if (room.history !== 'ready' || !past?.after) return;
    const { after } = past;
    await this.#run(room, async () => {
      past.takeNewer(await this.#api.history(room.name, { after, limit: PAGE }));
      room.joinPast();
    });
  }

  /**
   * Shows the part of the room around a message of it.
   * @param {Room} room
   * @param {import('../net/shapes.js').Message} message
   */
  async around(room, message) {
    for (let running = this.#running.get(room); running; running = this.#running.get(room)) await running;
    const past = new Past(room.timeline.myId, message);
    await this.#run(room, async () => {
      const [older, newer] = await Promise.all([
        this.#api.history(room.name, { before: message.cursor, limit: PAGE }),
        this.#api.history(room.name, { after: message.cursor, limit: PAGE }),
      ]);
      past.takeOlder(older);
      past.takeNewer(newer);
      room.past = past;
      room.joinPast();
    });
  }

  /** The newest, and as far back as the user has not read, within reason. @param {Room} room */
  async newestAndUnread(room) {
    await this.newest(room);
    if (room.history === 'ready') await this.unread(room);
  }

  /** @param {Room} room */
  async unread(room) {
    for (let pages = 0; pages < UNREAD_PAGES && !room.reachesRead; pages += 1) await this.older(room, LARGE_PAGE);
    room.drawLineAtOldest();
  }

  /**
   * @param {Room} room
   * @param {() => Promise<void>} load
   */
  async #run(room, load) {
    const before = room.history;
    room.history = 'loading';
    this.#changed(room);
    const running = load().then(
      () => { room.history = 'ready'; },
      () => { room.history = before === 'ready' ? 'ready' : 'error'; }, // what is shown stays useful
    );
    this.#running.set(room, running);
    await running;
    this.#running.delete(room);
    this.#changed(room);
  }
}
