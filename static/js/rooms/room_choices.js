// Which rooms this user has muted, and of which they want to be told, kept in this browser.

export class RoomChoices {
  #storage;
  #key;
  /** @type {{muted: string[], told: string[], direct: boolean}} */
  #choices;

  /**
   * @param {Pick<Storage, 'getItem' | 'setItem'> | null} storage
   * @param {string} userId
   */
  constructor(storage, userId) {
    this.#storage = storage;
    this.#key = `chat-rooms ${userId}`;
    this.#choices = { muted: [], told: [], direct: false, ...this.#read() };
  }

  /** @param {string} room */
  isMuted(room) {
    return this.#choices.muted.includes(room);
  }

  /**
   * Whether a message there is worth a notification.
   * @param {Pick<import('./room.js').Room, 'name' | 'info'>} room
   */
  isTold({ name, info }) {
    if (this.isMuted(name)) return false;
    return info.visibility === 'direct' ? this.#choices.direct : this.#choices.told.includes(name);
  }

  /** Whether the user wants to be told of direct messages. */
  get direct() {
    return this.#choices.direct;
  }

  /** @param {boolean} wanted */
  setDirect(wanted) {
    this.#choices.direct = wanted;
    this.#write();
  }

  /**
   * @param {'muted' | 'told'} kind
   * @param {string} room
   * @param {boolean} wanted
   */
  set(kind, room, wanted) {
    const others = this.#choices[kind].filter((name) => name !== room);
    this.#choices[kind] = wanted ? [...others, room] : others;
    this.#write();
  }

  #read() {
    try {
      return JSON.parse(this.#storage?.getItem(this.#key) ?? '{}');
    } catch {
      return {}; // blocked, or written by something else
    }
  }

  #write() {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(this.#choices));
    } catch {
      // Full or blocked: it holds until the page is closed.
    }
  }
}
