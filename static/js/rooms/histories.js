// Loads pages of history into rooms, one request at a time for each room.

/** @typedef {import('./room.js').Room} Room */

const PAGE = 50; // the server's default, and about three screens

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

  /** @param {Room} room */
  async older(room) {
    if (room.history !== 'ready' || !room.hasMore || !room.before) return;
    const { before } = room;
    await this.#run(room, async () => {
      room.takeOlder(await this.#api.history(room.name, { before, limit: PAGE }));
    });
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
