// One message on this page: its fields, how two are ordered, how changes are merged in.

import { compareCursors } from './cursor.js';

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
  const before = [entry.editedAt, entry.deletedAt, entry.status].join();
  if (isLater(message.editedAt, entry.editedAt) && !entry.deletedAt) {
    entry.editedAt = message.editedAt;
    entry.body = message.body;
  }
  if (isLater(message.deletedAt, entry.deletedAt)) {
    entry.deletedAt = message.deletedAt;
    entry.body = message.body;
  }
  if (isFurther(message.status, entry.status)) entry.status = message.status;
  return before !== [entry.editedAt, entry.deletedAt, entry.status].join();
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
export function fieldsOf({ id, localId, room, sender, body, createdAt, status, cursor, editedAt, deletedAt }) {
  return {
    id, localId, room, sender, body, createdAt, status,
    cursor: cursor ?? null, editedAt: editedAt ?? null, deletedAt: deletedAt ?? null,
  };
}
