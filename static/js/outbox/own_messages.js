// What the user writes: keeps the outbox and the rooms' timelines in step.

import { newLocalId } from './local_id.js';
import { Outbox } from './outbox.js';
import { explain } from './refusal.js';

/**
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../net/shapes.js').Message} Message
 * @typedef {import('./outbox.js').Item} Item
 */

/**
 * @typedef {object} OwnMessagesHooks
 * @property {(room: Room) => void} changed
 * @property {() => void} outbox the number of waiting or failed messages changed, or the pause
 * @property {() => void} answered the server has just accepted something
 * @property {() => void} signedOut
 * @property {(localId: string) => void} discarded other tabs are to forget it, too
 * @property {(text: string) => void} notice
 */

export class OwnMessages {
  #parts;

  /**
   * @param {object} parts
   * @param {import('../net/shapes.js').User} parts.user
   * @param {import('../rooms/room_book.js').RoomBook} parts.rooms
   * @param {(item: Item) => Promise<Message>} parts.send
   * @param {import('./outbox.js').OutboxStorage} parts.storage
   * @param {import('../net/clock.js').Clock} parts.clock
   * @param {() => number} parts.random
   * @param {OwnMessagesHooks} parts.on
   */
  constructor(parts) {
    const { user, send, storage, clock, random, on } = parts;
    this.#parts = parts;
    this.outbox = new Outbox({
      userId: user.id, send, storage, clock, random, explain,
      on: {
        sent: (_item, message) => this.#sent(message),
        failed: (item) => this.#failed(item),
        changed: on.outbox,
        signedOut: on.signedOut,
      },
    });
  }

  /** Shows what an earlier page left unsent; the rooms must be loaded already. */
  async load() {
    for (const item of await this.outbox.load()) {
      this.#parts.rooms.get(item.room)?.timeline.addOwn({ ...item, sender: this.#parts.user });
    }
  }

  /**
   * @param {Room} room
   * @param {string} body
   * @param {string | null} [replyTo] the id of the message that it answers
   */
  send(room, body, replyTo) {
    const { user, clock, on } = this.#parts;
    const data = replyTo ? { replyTo } : null;
    const draft = { localId: newLocalId(), room: room.name, body, data, createdAt: new Date(clock.date()).toISOString() };
    room.timeline.addOwn({ ...draft, sender: user });
    room.forgetLine();
    on.changed(room);
    return this.outbox.add(draft);
  }

  /** @param {string} localId */
  async retry(localId) {
    this.#inTimeline(localId, (room) => room.timeline.sendAgain(localId));
    await this.outbox.retry(localId);
  }

  /** @param {string} localId */
  async discard(localId) {
    this.#inTimeline(localId, (room) => room.timeline.removeUnsent(localId));
    this.#parts.on.discarded(localId);
    if ((await this.outbox.discard(localId)) === 'maybe_sent') {
      this.#parts.on.notice('Deleted here. It may have been sent already; if so, it will appear again.');
    }
  }

  /** Another tab of the user has deleted it. @param {string} localId */
  async dropped(localId) {
    this.#inTimeline(localId, (room) => room.timeline.removeUnsent(localId));
    await this.outbox.discard(localId);
  }

  /**
   * @param {string} localId
   * @param {(room: Room) => void} change
   */
  #inTimeline(localId, change) {
    const item = [...this.outbox.pending, ...this.outbox.failed].find((each) => each.localId === localId);
    const room = item && this.#parts.rooms.get(item.room);
    if (!room) return;
    change(room);
    this.#parts.on.changed(room);
  }

  /** @param {Message} message */
  #sent(message) {
    const room = this.#parts.rooms.get(message.room);
    room?.timeline.merge(message);
    if (room) this.#parts.on.changed(room);
    this.#parts.on.answered();
  }

  /** @param {Item} item */
  #failed({ room: name, localId, refusal }) {
    const room = this.#parts.rooms.get(name);
    if (refusal) room?.timeline.fail(localId, refusal);
    if (room) this.#parts.on.changed(room);
    this.#parts.on.outbox();
  }
}
