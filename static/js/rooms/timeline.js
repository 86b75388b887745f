// The messages of one room in order and without repeats. Pure: no network, no DOM, no clock.
// A message keeps its Entry object for life, so that a view can keep its node.

import { compareCursors } from '../net/cursor.js';
import { compareEntries, fieldsOf, grow, isFurther, takeNews } from './entry.js';

/**
 * @typedef {import('../net/shapes.js').Message} Message
 * @typedef {import('../net/shapes.js').User} User
 * @typedef {import('../net/shapes.js').Status} Status
 * @typedef {import('./entry.js').Entry} Entry
 * @typedef {import('./entry.js').Refusal} Refusal
 */

export class Timeline {
  /** @type {Entry[]} */
  entries = [];
  /** @type {Map<string, Entry>} */
  #byId = new Map();
  /** Own messages only: a localId is unique per sender. @type {Map<string, Entry>} */
  #ownByLocalId = new Map();
  #arrivals = 0;
  /** @readonly */ myId;

  /** @param {string} myId */
  constructor(myId) {
    this.myId = myId;
  }

  /**
   * A message the user has just written or that waits in the outbox.
   * @param {{localId: string, room: string, body: string, createdAt: string, sender: User, refusal?: Refusal | null, data?: Entry['data']}} draft
   */
  addOwn(draft) {
    const known = this.#ownByLocalId.get(draft.localId);
    if (known) return known;
    const { refusal = null, data = null, ...rest } = draft;
    return this.#insert({
      ...rest, data, id: null, status: refusal ? 'failed' : 'sending', refusal, cursor: null,
      editedAt: null, deletedAt: null, growing: false, arrival: this.#arrivals++, revision: 0,
    });
  }

  /**
   * A message.created event; it says nothing new about a message that already has its place.
   * @param {Message} message
   */
  created(message) {
    const known = this.#find(message);
    return known?.id && known.cursor ? known : this.merge(message);
  }

  /**
   * A message from an answer, a history page or any other event.
   * @param {Message} message
   * @returns {Entry}
   */
  merge(message) {
    const known = this.#find(message);
    if (!known) {
      return this.#insert({ ...fieldsOf(message), refusal: null, arrival: this.#arrivals++, revision: 0 });
    }
    const changed = known.id === null ? this.#adopt(known, message) : this.#update(known, message);
    if (changed) known.revision += 1;
    return known;
  }

  /**
   * @param {{messageId?: string, localId?: string, status?: Status}} event
   */
  advance({ messageId, localId, status }) {
    const entry = this.#byId.get(messageId ?? '') ?? this.#ownByLocalId.get(localId ?? '');
    if (!entry || !status || !isFurther(status, entry.status)) return;
    entry.status = status;
    entry.refusal = null;
    entry.revision += 1;
  }

  /**
   * @param {string} id
   * @param {number} at
   * @param {string} text
   * @returns {boolean} false if something before it was missed
   */
  grew(id, at, text) {
    const entry = this.#byId.get(id);
    if (!entry?.growing) return true;
    entry.revision += 1;
    return grow(entry, at, text);
  }

  /**
   * Only an unsent message can fail: a status never goes backwards.
   * @param {string} localId
   * @param {Refusal} refusal
   */
  fail(localId, refusal) {
    this.#setUnsent(localId, 'failed', refusal);
  }

  /** @param {string} localId */
  sendAgain(localId) {
    this.#setUnsent(localId, 'sending', null);
  }

  /** @param {string} localId */
  removeUnsent(localId) {
    const entry = this.#ownByLocalId.get(localId);
    if (!entry || entry.id !== null) return;
    this.#ownByLocalId.delete(localId);
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  /**
   * Forgets what lies before the cursor, so that what remains has no gap.
   * @param {string} cursor
   */
  dropBefore(cursor) {
    const kept = this.entries.findIndex((entry) => !entry.cursor || compareCursors(entry.cursor, cursor) >= 0);
    this.#dropFirst(kept < 0 ? this.entries.length : kept);
  }

  /**
   * Bounds memory: keeps the newest entries. True if any were dropped.
   * @param {number} count
   */
  keepNewest(count) {
    const surplus = this.entries.length - count;
    // Older messages are loaded from a cursor, so the oldest one kept must have one.
    if (surplus <= 0 || !this.entries[surplus].cursor) return false;
    this.#dropFirst(surplus);
    return true;
  }

  /**
   * Takes over older entries as they are, so that their rows stay.
   * @param {Timeline} older
   */
  adopt(older) {
    for (const entry of older.entries) if (!this.#find(/** @type {Message} */ (entry))) this.#insert(entry);
  }

  /** @param {string} id */
  byId(id) {
    return this.#byId.get(id);
  }

  /** @param {string} localId */
  ownByLocalId(localId) {
    return this.#ownByLocalId.get(localId);
  }

  /** @param {number} count */
  #dropFirst(count) {
    for (const entry of this.entries.splice(0, count)) {
      if (entry.id) this.#byId.delete(entry.id);
      if (this.#ownByLocalId.get(entry.localId) === entry) this.#ownByLocalId.delete(entry.localId);
    }
  }

  /** @param {Message} message */
  #find(message) {
    const known = this.#byId.get(message.id);
    if (known || message.sender.id !== this.myId) return known;
    return this.#ownByLocalId.get(message.localId);
  }

  /** @param {Entry} entry */
  #insert(entry) {
    this.entries.splice(this.#placeOf(entry), 0, entry);
    this.#index(entry);
    return entry;
  }

  /** @param {Entry} entry */
  #index(entry) {
    if (entry.id) this.#byId.set(entry.id, entry);
    if (entry.sender.id === this.myId) this.#ownByLocalId.set(entry.localId, entry);
  }

  /**
   * The server's copy of an own message that was only here until now.
   * @param {Entry} entry
   * @param {Message} message
   */
  #adopt(entry, message) {
    this.#move(entry, () => Object.assign(entry, fieldsOf(message), { refusal: null }));
    this.#index(entry);
    return true;
  }

  /**
   * @param {Entry} entry
   * @param {Message} message
   */
  #update(entry, message) {
    const changed = takeNews(entry, message);
    if (entry.cursor !== null || !message.cursor) return changed;
    this.#move(entry, () => { entry.cursor = message.cursor; });
    return true;
  }

  /**
   * Takes the entry out, lets `change` alter what it is sorted by, and puts it where it belongs now.
   * @param {Entry} entry
   * @param {() => void} change
   */
  #move(entry, change) {
    this.entries.splice(this.entries.lastIndexOf(entry), 1);
    change();
    this.entries.splice(this.#placeOf(entry), 0, entry);
  }

  /**
   * Binary search for the first entry that sorts after this one.
   * @param {Entry} entry
   */
  #placeOf(entry) {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareEntries(this.entries[middle], entry) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * @param {string} localId
   * @param {Status} status
   * @param {Refusal | null} refusal
   */
  #setUnsent(localId, status, refusal) {
    const entry = this.#ownByLocalId.get(localId);
    if (!entry || entry.id !== null) return;
    entry.status = status;
    entry.refusal = refusal;
    entry.revision += 1;
  }
}
