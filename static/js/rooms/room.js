// One room as this page knows it: what the server says of it, its messages, how far they are loaded.

import { compareCursors } from './cursor.js';
import { Timeline } from './timeline.js';

/** @typedef {import('../net/shapes.js').RoomInfo} RoomInfo */
/** @typedef {import('../net/shapes.js').Message} Message */
/** @typedef {import('../net/shapes.js').HistoryPage} HistoryPage */

const KEPT = 200; // entries kept of a room nobody scrolls back in: four pages
const LONG = 2000; // some megabytes; a page may stay open for weeks

export class Room {
  unread = 0;
  /** The "New messages" line stands before this message. @type {string | null} */
  firstUnreadId = null;
  /** @type {'none' | 'loading' | 'ready' | 'error'} */
  history = 'none';
  /** @type {string | null} */
  before = null;
  hasMore = false;

  /**
   * @param {RoomInfo} info
   * @param {string} myId
   */
  constructor(info, myId) {
    this.info = info;
    this.timeline = new Timeline(myId);
  }

  get name() {
    return this.info.name;
  }

  get title() {
    return this.info.title || this.info.name;
  }

  /** The newest page, on first opening and after a join or a reset. @param {HistoryPage} page */
  takeNewest(page) {
    for (const message of page.messages) this.timeline.merge(message);
    // There may be a gap before this page: anything older is dropped and loaded again on demand.
    const oldest = page.messages.find((message) => message.cursor)?.cursor;
    if (page.hasMore && oldest) this.timeline.dropBefore(oldest);
    this.before = page.before;
    this.hasMore = page.hasMore;
  }

  /** @param {HistoryPage} page */
  takeOlder(page) {
    for (const message of page.messages) this.timeline.merge(message);
    this.before = page.before;
    this.hasMore = page.hasMore;
  }

  /** Drops old entries; they can be loaded again. */
  trim() {
    if (this.history === 'loading' || !this.timeline.keepNewest(KEPT)) return;
    this.before = this.timeline.entries[0].cursor;
    this.hasMore = true;
  }

  /** For rooms that grow while nobody scrolls back in them. */
  trimIfLong() {
    if (this.timeline.entries.length > LONG) this.trim();
  }

  /** The user looks at the room now. The line stays until they answer or go elsewhere. */
  seen() {
    this.unread = 0;
  }

  forgetLine() {
    this.firstUnreadId = null;
  }

  /**
   * False for a message older than everything loaded: it will come with its page, in its current state.
   * @param {Message} message
   */
  covers({ cursor }) {
    const oldest = this.timeline.entries[0]?.cursor;
    if (this.history !== 'ready' || !this.hasMore || !oldest || !cursor) return true;
    return compareCursors(cursor, oldest) >= 0;
  }

  /** @param {Message} message from someone else, while nobody looks at the room */
  missed(message) {
    if (this.unread === 0 || !this.firstUnreadId) this.firstUnreadId = message.id;
    this.unread += 1;
  }
}
