import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../static/js/rooms/timeline.js';
import { surroundingsOf } from '../../static/js/view/grouping.js';
import { VisiblePart } from '../../static/js/view/visible_part.js';
import { ADA, BOB, message } from './samples.js';

const numbers = (/** @type {number} */ count, from = 0) => Array.from({ length: count }, (_, index) => ({ number: from + index }));

test('following, the part stays at the newest and is bounded', () => {
  const part = new VisiblePart();
  const entries = numbers(50);
  assert.deepEqual(part.range(entries, true), { start: 0, end: 50 });
  for (let round = 0; round < 500; round += 1) {
    entries.push({ number: entries.length });
    const { start, end } = part.range(entries, true);
    assert.equal(end, entries.length);
    assert.ok(end - start <= 150);
  }
});

test('reading further up, the rows do not move away under the reader', () => {
  const part = new VisiblePart();
  const entries = numbers(120);
  const { start } = part.range(entries, true);
  entries.push(...numbers(500, 120));
  assert.deepEqual(part.range(entries, false), { start, end: start + 150 });
  assert.equal(part.atLatest, false);
});

test('grows up through what is in memory, and down again to the newest', () => {
  const part = new VisiblePart();
  const entries = numbers(400);
  assert.deepEqual(part.range(entries, true), { start: 300, end: 400 });
  while (part.growUp(entries, false)) assert.ok(true);
  assert.deepEqual(part.range(entries, false), { start: 0, end: 150 });
  while (part.growDown(entries)) assert.ok(true);
  assert.deepEqual(part.range(entries, false), { start: 250, end: 400 });
  assert.ok(part.atLatest);
});

test('a scroll before many new ones have rows does not lose the newest to who follows', () => {
  /** @type {((part: VisiblePart<{number: number}>, entries: {number: number}[]) => boolean)[]} */
  const ways = [(part, entries) => part.growDown(entries), (part, entries) => part.growUp(entries, true)];
  for (const grow of ways) {
    const part = /** @type {VisiblePart<{number: number}>} */ (new VisiblePart());
    const entries = numbers(20);
    part.range(entries, true);
    entries.push(...numbers(250, 20));
    grow(part, entries);
    assert.ok(part.atLatest, String(grow));
    assert.equal(part.range(entries, true).end, 270, String(grow));
  }
});

test('older entries that arrive are shown when asked for', () => {
  const part = new VisiblePart();
  let entries = numbers(100, 100);
  part.range(entries, false);
  entries = [...numbers(50, 50), ...entries];
  assert.deepEqual(part.range(entries, false), { start: 50, end: 150 });
  assert.ok(part.growUp(entries, false));
  assert.deepEqual(part.range(entries, false), { start: 0, end: 150 });
});

test('a page that comes after the first live message is shown at once', () => {
  const part = new VisiblePart();
  const live = { number: 50 };
  part.range([live], true);
  assert.deepEqual(part.range([...numbers(50), live], true), { start: 0, end: 51 });
});

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
/** What the second of two shows. @param {import('../../static/js/rooms/entry.js').Entry} it @param {import('../../static/js/rooms/entry.js').Entry} previous @param {string | null} unread @param {number} now */
const around = (it, previous, unread, now) => surroundingsOf([previous, it], 1, unread, now);
const entry = (/** @type {Partial<import('../../static/js/net/shapes.js').Message>} */ fields) => new Timeline(ADA.id).merge(message(fields));

test('28 one sender within five minutes is one group', () => {
  const first = entry({ createdAt: '2026-11-22T10:00:00.000Z' });
  const soon = entry({ createdAt: '2026-11-22T10:04:59.000Z' });
  const later = entry({ createdAt: '2026-11-22T10:05:00.000Z' });
  const other = entry({ createdAt: '2026-11-22T10:01:00.000Z', sender: ADA });
  assert.equal(around(soon, first, null, NOW).head, false);
  assert.equal(around(later, first, null, NOW).head, true);
  assert.equal(around(other, first, null, NOW).head, true);
  assert.equal(first.sender.id, BOB.id);
});

test('27 and 28 a new day and the line for new messages begin a group', () => {
  const before = entry({ createdAt: '2026-11-20T12:00:00.000Z' });
  const after = entry({ createdAt: '2026-11-22T12:00:00.000Z' });
  assert.deepEqual(around(after, before, null, NOW), { head: true, last: true, day: 'Today', unreadLine: false });
  assert.equal(around(after, after, 'm1', NOW).unreadLine, true);
  assert.equal(around(after, after, 'm1', NOW).head, true);
});
