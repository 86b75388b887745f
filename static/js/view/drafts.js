// The unsent text in each room's box, kept for each user across reloads.

export class Drafts {
  #storage;
  #prefix;

  /**
   * @param {Storage | null} storage
   * @param {string} userId
   */
  constructor(storage, userId) {
    this.#storage = storage;
    this.#prefix = `chat-draft ${userId} `;
  }

  /** @param {string} room */
  get(room) {
    return this.#storage?.getItem(this.#prefix + room) ?? '';
  }

  /**
   * @param {string} room
   * @param {string} text
   */
  set(room, text) {
    try {
      if (text) this.#storage?.setItem(this.#prefix + room, text);
      else this.#storage?.removeItem(this.#prefix + room);
    } catch {
      // A full or forbidden storage costs the draft, not the page.
    }
  }
}
