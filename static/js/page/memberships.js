// The rooms the user is in: making, joining, leaving, renaming and deleting them, and what comes of it on the page.

/**
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../net/shapes.js').RoomInfo} RoomInfo
 */

export const HOME = 'general'; // there from the start, and every guest is in it

export class Memberships {
  #parts;

  /**
   * @param {object} parts
   * @param {import('../net/api.js').Api} parts.api
   * @param {import('../rooms/room_book.js').RoomBook} parts.rooms
   * @param {import('../rooms/directory.js').Directory} parts.directory
   * @param {import('../rooms/histories.js').Histories} parts.histories
   * @param {() => Room | null} parts.current
   * @param {() => string} parts.asked the room in the address
   * @param {(name: string) => Promise<void>} parts.open
   * @param {(room: Room) => void} parts.changed
   * @param {(text: string) => void} parts.notice
   * @param {(action: () => Promise<void>) => Promise<boolean>} parts.attempt says why where it does not work
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {Room} room */
  join(room) {
    return this.#parts.attempt(async () => {
      await this.#parts.api.join(room.name);
      await this.joined(room.name);
    });
  }

  /** @param {Room} room */
  leave(room) {
    return this.#parts.attempt(async () => {
      await this.#parts.api.leave(room.name);
      await this.left(room.name);
    });
  }

  /**
   * @param {Room} room
   * @param {string} title
   */
  async rename(room, title) {
    room.info = await this.#parts.api.renameRoom(room.name, title || null);
    this.#parts.changed(room);
  }

  /** @param {Room} room */
  async delete(room) {
    await this.#parts.api.deleteRoom(room.name);
    await this.deleted(room.name);
  }

  /** @param {{name: string, title?: string, visibility: string}} wanted */
  async create(wanted) {
    await this.#openNew(await this.#parts.api.createRoom(wanted));
  }

  /** @param {string} userId */
  talkTo(userId) {
    return this.#parts.attempt(async () => this.#openNew(await this.#parts.api.direct(userId)));
  }

  /** @param {RoomInfo} info */
  async #openNew(info) {
    this.#parts.rooms.put(info);
    await this.#parts.open(info.name);
  }

  /** @param {string} name */
  async joined(name) {
    const { directory, histories, current, asked, open, changed } = this.#parts;
    const room = await directory.lookUp(name);
    if (!room) return;
    // The stream follows the room only from this event on; what came before must be loaded after it.
    if (room === current() || room.history !== 'none') await histories.newest(room);
    changed(room);
    // The user was invited while the room's address was open and showed nothing.
    if (!current() && asked() === name) await open(name);
  }

  /** @param {string} name */
  async left(name) {
    const { directory, current, open, changed, notice } = this.#parts;
    const room = directory.left(name);
    if (!room) return;
    changed(room);
    if (room !== current() || room.info.visibility === 'public') return;
    notice(`You are no longer in ${room.title}.`);
    await open(HOME);
  }

  /** @param {string} name */
  async deleted(name) {
    const { directory, current, open, notice } = this.#parts;
    const room = directory.deleted(name);
    if (!room) return;
    notice(`${room.title} was deleted.`);
    if (room === current()) await open(HOME);
  }
}
