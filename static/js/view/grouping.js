// What a message shows because of the one before it: a day, the line for new messages, a heading. Pure.

import { dayText, sameDay } from './days.js';

/** @typedef {import('../rooms/entry.js').Entry} Entry */

const GROUP_MS = 300_000; // five minutes: messages this close read as one

/**
 * @param {Entry} entry
 * @param {Entry | undefined} previous
 * @param {string | null} firstUnreadId
 * @param {number} nowMs
 * @returns {Omit<import('./message_row.js').Surroundings, 'seenBy'>}
 */
export function surroundingsOf(entry, previous, firstUnreadId, nowMs) {
  const newDay = !previous || !sameDay(previous.createdAt, entry.createdAt);
  const unreadLine = firstUnreadId !== null && entry.id === firstUnreadId;
  const head = newDay || unreadLine || !continues(entry, previous);
  return { head, day: newDay ? dayText(entry.createdAt, nowMs) : '', unreadLine };
}

/**
 * @param {Entry} entry
 * @param {Entry} previous
 */
function continues(entry, previous) {
  if (previous.sender.id !== entry.sender.id || previous.status === 'failed') return false;
  const apartMs = Date.parse(entry.createdAt) - Date.parse(previous.createdAt);
  return Math.abs(apartMs) < GROUP_MS; // a sender's clock may be a little behind the server's
}
