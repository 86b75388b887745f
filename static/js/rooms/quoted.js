// Messages that others answer and that are not loaded: each is asked for once.

/** @typedef {import('../net/shapes.js').Message} Message */
/** @typedef {import('./room.js').Room} Room */

const MOST_KEPT = 500;

export class Quoted {
  /** Null: gone, or not for this user. @type {Map<string, Message | null>} */
  #known = new Map();
  /** @type {Set<string>} */
  #asked = new Set();
  #load;

  /** @param {(id: string) => Promise<Message>} load */
  constructor(load) {
    this.#load = load;
  }

  /**
   * @param {Room} room
   * @param {string} id
   * @param {() => void} loaded
   * @returns {Pick<Message, 'sender' | 'body' | 'deletedAt'> | null | undefined} undefined while it is asked for
   */
  get(room, id, loaded) {
    const here = room.timeline.byId(id) ?? room.past?.timeline.byId(id) ?? this.#known.get(id);
    if (here === undefined) void this.#ask(room, id, loaded);
    return here;
  }

  /**
   * @param {Room} room
   * @param {string} id
   * @param {() => void} loaded
   */
  async #ask(room, id, loaded) {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    try {
      const message = await this.#load(id);
      this.#keep(id, message.room === room.name ? message : null);
    } catch (error) {
      if (/** @type {{retryable?: boolean}} */ (error).retryable) this.#asked.delete(id);
      else this.#keep(id, null);
    }
    loaded();
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
