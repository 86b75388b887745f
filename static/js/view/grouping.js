// What a message shows because of its neighbours: a day, the line for new messages, a heading, its mark. Pure.

import { dayText, sameDay } from './days.js';

/** @typedef {import('../rooms/entry.js').Entry} Entry */

const GROUP_MS = 300_000; // five minutes: messages this close read as one

/**
 * @param {Entry[]} entries
 * @param {number} index
 * @param {string | null} firstUnreadId
 * @param {number} nowMs
 * @returns {Omit<import('./message_row.js').Surroundings, 'seenBy'>}
 */
export function surroundingsOf(entries, index, firstUnreadId, nowMs) {
  const entry = entries[index];
  const next = entries[index + 1];
  const newDay = startsDay(entry, entries[index - 1]);
  return {
    head: startsGroup(entry, entries[index - 1], firstUnreadId),
    last: !next || startsGroup(next, entry, firstUnreadId),
    day: newDay ? dayText(entry.createdAt, nowMs) : '',
    unreadLine: isFirstUnread(entry, firstUnreadId),
  };
}

/**
 * @param {Entry} entry
 * @param {Entry | undefined} previous
 * @param {string | null} firstUnreadId
 */
function startsGroup(entry, previous, firstUnreadId) {
  return startsDay(entry, previous) || isFirstUnread(entry, firstUnreadId) || !previous || !continues(entry, previous);
}

/**
 * @param {Entry} entry
 * @param {Entry | undefined} previous
 */
function startsDay(entry, previous) {
  return !previous || !sameDay(previous.createdAt, entry.createdAt);
}

/**
 * @param {Entry} entry
 * @param {string | null} firstUnreadId
 */
function isFirstUnread(entry, firstUnreadId) {
  return firstUnreadId !== null && entry.id === firstUnreadId;
}

/**
 * @param {Entry} entry
 * @param {Entry} previous
 */
function continues(entry, previous) {
  if (previous.sender.id !== entry.sender.id || previous.status === 'failed' || entry.status === 'failed') return false;
  const apartMs = Date.parse(entry.createdAt) - Date.parse(previous.createdAt);
  return Math.abs(apartMs) < GROUP_MS; // a sender's clock may be a little behind the server's
}
