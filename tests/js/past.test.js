import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histories } from '../../static/js/rooms/histories.js';
import { Room } from '../../static/js/rooms/room.js';
import { ADA, message } from './samples.js';

const INFO = /** @type {import('../../static/js/net/shapes.js').RoomInfo} */ ({
  name: 'general', title: 'General', visibility: 'public', member: true, owner: null, memberCount: 2, lastMessage: null,
});
const COUNT = 1_000;
const said = (/** @type {number} */ number) => message({ id: `m${number}`, localId: `local-${1e6 + number}`, body: `${number}`, cursor: `${number}-0` });

/** A room of a thousand messages, as the server's pages give them. */
function setUp(/** @type {Partial<import('../../static/js/net/shapes.js').RoomInfo>} */ info = {}) {
  const room = new Room({ ...INFO, ...info }, ADA.id);
  /** @type {string[]} */ const asked = [];
  const histories = new Histories({
    history: async (_, { before, after, limit = 50 } = {}) => {
      asked.push(JSON.stringify({ before, after, limit }));
      const place = (/** @type {string} */ cursor) => Number.parseInt(cursor, 10);
      const from = after ? place(after) + 1 : Math.max(1, (before ? place(before) : COUNT + 1) - limit);
      const to = Math.min(COUNT, before ? place(before) - 1 : from + limit - 1);
      const messages = Array.from({ length: to - from + 1 }, (_each, index) => said(from + index));
      return {
        messages, cursor: `${COUNT}-0`, before: `${from}-0`, after: messages.length ? `${to}-0` : null,
        hasMore: after ? to < COUNT : from > 1,
      };
    },
  }, () => {});
  const numbers = () => room.shown.timeline.entries.map(({ body }) => Number(body));
  return { room, histories, asked, numbers };
}

test('48 a link far back shows the part around it, while the newest stay', async () => {
  const { room, histories, numbers } = setUp();
  await histories.newest(room);
  await histories.around(room, said(300));
  assert.deepEqual([numbers()[0], numbers().at(-1), numbers().length], [250, 350, 101]);
  assert.equal(room.timeline.entries.length, 50);
  await histories.older(room);
  await histories.newer(room);
  assert.deepEqual([numbers()[0], numbers().at(-1), numbers().length], [200, 400, 201]);
});

test('48 a part that reaches the newest is one with it, without a gap or a repeat', async () => {
  const { room, histories, numbers } = setUp();
  await histories.newest(room);
  await histories.around(room, said(880));
  const entry = room.past?.timeline.byId('m880');
  await histories.newer(room);
  assert.equal(room.past, null);
  assert.deepEqual(numbers(), Array.from({ length: COUNT - 829 }, (_, index) => 830 + index));
  assert.equal(room.timeline.byId('m880'), entry); // its row stays
  await histories.older(room);
  assert.equal(numbers()[0], 780);
});

test('48 changes reach a message in both places', async () => {
  const { room, histories } = setUp();
  await histories.newest(room);
  await histories.around(room, said(300));
  room.merge({ ...said(300), body: 'changed', editedAt: '2026-11-22T11:00:00.000Z' });
  assert.equal(room.past?.timeline.byId('m300')?.body, 'changed');
});

test('48 what one edits far back does not stand before a gap', async () => {
  const { room, histories, numbers } = setUp();
  await histories.newest(room);
  await histories.around(room, said(300));
  room.merge({ ...said(300), body: '300', editedAt: '2026-11-22T11:00:00.000Z' });
  assert.equal(room.timeline.byId('m300'), undefined);
  await histories.newer(room);
  assert.equal(numbers().at(-1), 400); // and not joined with the newest
  assert.ok(room.past);
});

test('21 what comes live before the room is opened stands behind what was unread before', async () => {
  const { room, histories } = setUp({ unread: 3, readCursor: '997-0' });
  room.missed(said(1001));
  await histories.newestAndUnread(room);
  assert.equal(room.firstUnreadId, 'm998');
});

test('45 what was read on another device is not unread here, whatever was missed meanwhile', () => {
  const { room } = setUp({ unread: 0, readCursor: '900-0' });
  for (const number of [1001, 1002]) room.missed(said(number));
  room.take({ ...room.info, unread: 0, readCursor: '1002-0' });
  assert.deepEqual([room.unread, room.firstUnreadId], [0, null]);
  room.missed(said(1003));
  room.take({ ...room.info, unread: 0 }); // an older answer: the receipt has not moved
  assert.equal(room.unread, 1);
});

test('21 the first unread message is looked for beyond the first page', async () => {
  const { room, histories, asked } = setUp({ unread: 100, readCursor: '700-0' });
  await histories.newest(room);
  assert.equal(room.firstUnreadId, null);
  await histories.unread(room);
  assert.equal(room.firstUnreadId, 'm701');
  assert.equal(asked.length, 3);
});

test('21 who has been away for longer than anybody reads gets the line at the oldest that is here', async () => {
  const { room, histories, asked } = setUp({ unread: 100, readCursor: '1-0' });
  room.info = { ...room.info, readCursor: '0-0' };
  await histories.newest(room);
  await histories.unread(room);
  assert.equal(room.firstUnreadId, room.timeline.entries[0].id);
  assert.ok(asked.length <= 6);
});
