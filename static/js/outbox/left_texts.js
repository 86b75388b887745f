// Messages that an earlier guest of this browser wrote and that were never sent. That guest cannot come back; the texts
// are offered to whoever sits there now. A host's users can come back: theirs wait for them and are shown to nobody else.

/** @typedef {import('./outbox.js').Item} Item */

const GUEST = 'u_';

export class LeftTexts {
  /** @type {Item[]} */
  items = [];
  #storage;
  #myId;

  /**
   * @param {Pick<import('./outbox.js').OutboxStorage, 'others' | 'remove'>} storage
   * @param {string} myId
   */
  constructor(storage, myId) {
    this.#storage = storage;
    this.#myId = myId;
  }

  async load() {
    const items = await this.#storage.others(this.#myId);
    this.items = items.filter(({ userId }) => userId.startsWith(GUEST)).sort((a, b) => a.order - b.order);
    return this.items.length;
  }

  get text() {
    return this.items.map(({ body }) => body).join('\n\n');
  }

  async discard() {
    for (const item of this.items) await this.#storage.remove(item);
    this.items = [];
  }

  /**
   * Hands each to the new guest's outbox; what cannot be said where it was meant stays here.
   * @param {(item: Item) => Promise<boolean>} send
   * @returns {Promise<number>} how many stay
   */
  async sendAs(send) {
    for (const item of [...this.items]) {
      if (!(await send(item))) continue;
      await this.#storage.remove(item);
      this.items = this.items.filter((each) => each !== item);
    }
    return this.items.length;
  }
}
