// A part of a room's history far back, around a message that somebody has linked to. What is live goes on beside it.

import { compareCursors } from '../net/cursor.js';
import { Timeline } from './timeline.js';

/** @typedef {import('../net/shapes.js').HistoryPage} HistoryPage */
/** @typedef {import('../net/shapes.js').Message} Message */

export class Past {
  hasMore = true;
  hasNewer = true;

  /**
   * @param {string} myId
   * @param {Message} message
   */
  constructor(myId, message) {
    this.timeline = new Timeline(myId);
    this.timeline.merge(message);
    this.before = this.after = message.cursor;
  }

  /** @param {HistoryPage} page */
  takeOlder({ messages, before, hasMore }) {
    for (const message of messages) this.timeline.merge(message);
    this.before = before ?? this.before;
    this.hasMore = hasMore;
  }

  /** @param {HistoryPage} page */
  takeNewer({ messages, after, hasMore }) {
    for (const message of messages) this.timeline.merge(message);
    this.after = after ?? this.after;
    this.hasNewer = hasMore;
  }

  /**
   * Whether nothing lies between this part and what is live.
   * @param {Timeline} live
   */
  reaches(live) {
    const oldest = live.entries.find(({ cursor }) => cursor)?.cursor;
    return !this.hasNewer || Boolean(oldest && this.after && compareCursors(this.after, oldest) >= 0);
  }
}
