// One message on this page: its fields, how two are ordered, how changes are merged in.

import { compareCursors } from '../net/cursor.js';

/**
 * @typedef {import('../net/shapes.js').Message} Message
 * @typedef {import('../net/shapes.js').Status} Status
 * @typedef {{code: string, text: string}} Refusal
 */

/**
 * @typedef {object} Entry
 * @property {string | null} id null until the server has answered
 * @property {string} localId
 * @property {string} room
 * @property {import('../net/shapes.js').User} sender
 * @property {string} body
 * @property {string} createdAt
 * @property {Status} status
 * @property {string | null} cursor
 * @property {string | null} editedAt
 * @property {string | null} deletedAt
 * @property {boolean} growing
 * @property {import('../net/shapes.js').Data | null} data
 * @property {Refusal | null} refusal why it failed
 * @property {number} arrival position among entries that have no cursor
 * @property {number} revision goes up with every change, for views
 */

/** @type {Record<Status, number>} */
const PROGRESS = { failed: 0, sending: 0, sent: 1, delivered: 2 };

/**
 * @param {Status} status
 * @param {Status} than
 */
export function isFurther(status, than) {
  return PROGRESS[status] > PROGRESS[than];
}

/**
 * By cursor, then those the log has not numbered yet, then one's own unsent ones.
 * @param {Entry} a
 * @param {Entry} b
 */
export function compareEntries(a, b) {
  if (a.cursor && b.cursor) return compareCursors(a.cursor, b.cursor) || a.arrival - b.arrival;
  return rank(a) - rank(b) || a.arrival - b.arrival;
}

/** @param {Entry} entry */
function rank(entry) {
  if (entry.cursor) return 0;
  return entry.id ? 1 : 2;
}

/**
 * Merges edits, withdrawals and progress into a message the page already has; its place stays as it is.
 * @param {Entry} entry
 * @param {Message} message
 * @returns {boolean} whether anything changed
 */
export function takeNews(entry, message) {
  const before = [entry.editedAt, entry.deletedAt, entry.status, entry.growing, entry.body.length].join();
  // Of two pictures of a message the one that grows no more is later, and of two that grow the longer one.
  if (entry.growing && (!message.growing || message.body.length > entry.body.length)) {
    entry.growing = Boolean(message.growing);
    entry.body = message.body;
  }
  if (isLater(message.editedAt, entry.editedAt) && !entry.deletedAt) {
    entry.editedAt = message.editedAt;
    entry.body = message.body;
    entry.data = message.data ?? null;
  }
  if (isLater(message.deletedAt, entry.deletedAt)) {
    entry.deletedAt = message.deletedAt;
    entry.body = message.body;
    entry.data = null;
  }
  if (isFurther(message.status, entry.status)) entry.status = message.status;
  return before !== [entry.editedAt, entry.deletedAt, entry.status, entry.growing, entry.body.length].join();
}

/**
 * What was added to a message that grows, as the server counts: in code points.
 * @param {Entry} entry
 * @param {number} at
 * @param {string} text
 * @returns {boolean} false if something before it was missed
 */
export function grow(entry, at, text) {
  const known = Array.from(entry.body);
  if (at > known.length) return false;
  if (at + codePoints(text) > known.length) entry.body = known.slice(0, at).join('') + text;
  return true;
}

/** @param {string} text */
function codePoints(text) {
  return Array.from(text).length;
}

/**
 * All times are RFC 3339 in UTC with milliseconds, so they compare as strings.
 * @param {string | null | undefined} a
 * @param {string | null | undefined} b
 */
function isLater(a, b) {
  return Boolean(a) && (!b || /** @type {string} */ (a) > b);
}

/**
 * Leaves out fields that a newer server may add.
 * @param {Message} message
 */
export function fieldsOf({ id, localId, room, sender, body, createdAt, status, cursor, editedAt, deletedAt, growing, data }) {
  return {
    id, localId, room, sender, body, createdAt, status,
    cursor: cursor ?? null, editedAt: editedAt ?? null, deletedAt: deletedAt ?? null,
    growing: growing ?? false,
    data: data ?? null,
  };
}
