// One room as this page knows it: what the server says of it, its messages, how far they are loaded.

import { compareCursors } from '../net/cursor.js';
import { Readers } from './readers.js';
import { Timeline } from './timeline.js';
import { Typists } from './typists.js';

/** @typedef {import('../net/shapes.js').RoomInfo} RoomInfo */
/** @typedef {import('../net/shapes.js').Message} Message */
/** @typedef {import('../net/shapes.js').HistoryPage} HistoryPage */

const KEPT = 200; // entries kept of a room nobody scrolls back in: four pages
const LONG = 2000; // some megabytes; a page may stay open for weeks

export class Room {
  unread = 0;
  typists = new Typists();
  /** @type {Readers} */
  readers;
  /** How many were unread when the page first heard of the room: the line is drawn with its first page. */
  #unreadBefore = 0;
  /** The "New messages" line stands before this message. @type {string | null} */
  firstUnreadId = null;
  /** @type {'none' | 'loading' | 'ready' | 'error'} */
  history = 'none';
  /** @type {string | null} */
  before = null;
  hasMore = false;
  /** What is shown instead of the newest, after a link to a message far back. @type {import('./past.js').Past | null} */
  past = null;

  /** Which of the book's presences was told of it last. */
  presence = 0;

  /**
   * @param {RoomInfo} info
   * @param {string} myId
   */
  constructor(info, myId) {
    this.info = info;
    this.timeline = new Timeline(myId);
    this.readers = new Readers(myId);
    if (info.member) this.unread = this.#unreadBefore = info.unread ?? 0;
  }

  get name() {
    return this.info.name;
  }

  get title() {
    return this.info.title || this.info.name;
  }

  /** What is shown of it: the newest messages, or a part far back. @returns {Room | import('./past.js').Past} */
  get shown() {
    return this.past ?? this;
  }

  /** Changes of a message that is here, wherever it stands. @param {Message} message */
  merge(message) {
    if (this.past?.timeline.byId(message.id)) this.past.timeline.merge(message);
    // One far back would stand before a gap that nobody asks for.
    if (this.timeline.byId(message.id) || this.covers(message)) this.timeline.merge(message);
  }

  /** @param {Parameters<Timeline['advance']>[0]} event */
  advance(event) {
    this.timeline.advance(event);
    this.past?.timeline.advance(event);
  }

  /** What is far back and what is live have met. */
  joinPast() {
    if (!this.past?.reaches(this.timeline)) return;
    const { timeline, before, hasMore } = this.past;
    this.timeline.adopt(timeline);
    Object.assign(this, { before, hasMore, past: null });
  }

  /** The newest page, on first opening and after a join or a reset. @param {HistoryPage} page */
  takeNewest(page) {
    for (const message of page.messages) this.timeline.merge(message);
    // There may be a gap before this page: anything older is dropped and loaded again on demand.
    const oldest = page.messages.find((message) => message.cursor)?.cursor;
    if (page.hasMore && oldest) this.timeline.dropBefore(oldest);
    this.before = page.before;
    this.hasMore = page.hasMore;
    if (this.reachesRead) this.#drawLine();
  }

  /** Whether all that is unread is here: then the line can be drawn. */
  get reachesRead() {
    const { readCursor } = this.info;
    const oldest = this.timeline.entries[0]?.cursor;
    if (!this.#unreadBefore || !this.hasMore) return true;
    return readCursor ? Boolean(oldest && compareCursors(oldest, readCursor) <= 0) : this.#unreadBefore <= this.timeline.entries.length;
  }

  /** What is unread goes back further than anybody will read: the line stands before the oldest that is here. */
  drawLineAtOldest() {
    this.#drawLine();
  }

  /** Before the first message of somebody else behind the place up to which the user has read. */
  #drawLine() {
    if (!this.#unreadBefore) return;
    const others = this.timeline.entries.filter(({ id, sender, deletedAt }) => id && sender.id !== this.timeline.myId && !deletedAt);
    const read = this.info.readCursor;
    const unread = read
      ? others.filter(({ cursor }) => !cursor || compareCursors(cursor, read) > 0)
      : others.slice(-this.#unreadBefore);
    this.#unreadBefore = 0;
    // What came live meanwhile stands behind what was unread before.
    this.firstUnreadId = unread[0]?.id ?? this.firstUnreadId;
  }

  /** The newest of one's own messages, and who has read it. */
  get seenBy() {
    const { entries, myId } = this.timeline;
    let index = entries.length - 1;
    while (index >= 0 && !(entries[index].sender.id === myId && entries[index].id && !entries[index].deletedAt)) index -= 1;
    const own = entries[index];
    return { id: own?.id ?? null, names: own ? this.readers.of(own) : [] };
  }

  /** @returns {string | null} the place of the newest message that is here */
  get newest() {
    return [...this.timeline.entries].reverse().find(({ cursor }) => cursor)?.cursor ?? null;
  }

  /** @param {HistoryPage} page */
  takeOlder(page) {
    for (const message of page.messages) this.timeline.merge(message);
    this.before = page.before;
    this.hasMore = page.hasMore;
    if (this.reachesRead) this.#drawLine();
  }

  /** Drops old entries; they can be loaded again. */
  trim() {
    this.past = null;
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
   * What the server says of it now. Where the user has read on elsewhere, it knows better what is unread.
   * @param {RoomInfo} info
   */
  take(info) {
    const before = this.info.readCursor;
    const readOn = info.readCursor && (!before || compareCursors(info.readCursor, before) > 0);
    this.info = info;
    if (readOn) this.readElsewhere(info.unread ?? 0);
  }

  /** @param {number} unread how many are left */
  readElsewhere(unread) {
    this.unread = Math.min(this.unread, unread);
    if (this.unread) return;
    this.#unreadBefore = 0;
    this.forgetLine();
  }

  /** After a gap that no event filled: as many as the server says. */
  recount() {
    this.unread = this.#unreadBefore = this.info.member ? (this.info.unread ?? 0) : 0;
    this.forgetLine();
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
