import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeftTexts } from '../../static/js/outbox/left_texts.js';
import { MemoryStorage } from '../../static/js/outbox/outbox_db.js';
import { RoomChoices } from '../../static/js/rooms/room_choices.js';

const item = (/** @type {number} */ order, userId = 'u_before', room = 'general') => ({
  localId: `local-${order}`, userId, room, body: `text ${order}`, createdAt: '', order, tried: false, refusal: null,
});

async function setUp() {
  const storage = new MemoryStorage();
  for (const one of [item(2), item(1), item(3, 'u_before', 'den'), item(4, 'u_me'), item(5, 'h_host')]) await storage.put(one);
  const left = new LeftTexts(storage, 'u_me');
  await left.load();
  return { storage, left };
}

test("42 an earlier guest's texts are offered in their order, a host's user's to nobody", async () => {
  const { left } = await setUp();
  assert.equal(left.text, 'text 1\n\ntext 2\n\ntext 3');
});

test('42 what was sent as the new guest is kept no more, the rest is', async () => {
  const { left, storage } = await setUp();
  const sent = /** @type {string[]} */ ([]);
  assert.equal(await left.sendAs(async ({ room, body }) => room === 'general' && Boolean(sent.push(body))), 1);
  assert.deepEqual(sent, ['text 1', 'text 2']);
  assert.deepEqual((await storage.load('u_before')).map(({ body }) => body), ['text 3']);
});

test('42 discarded is gone', async () => {
  const { left, storage } = await setUp();
  await left.discard();
  assert.equal((await storage.load('u_before')).length, 0);
  assert.equal((await storage.load('h_host')).length, 1);
});

test('45 muted rooms and 46 rooms to be told of survive a reload, each user has their own', () => {
  const kept = new Map();
  const storage = { getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ text) => void kept.set(key, text) };
  const choices = new RoomChoices(storage, 'u_me');
  choices.set('muted', 'noise', true);
  choices.set('told', 'team', true);
  choices.set('told', 'noise', true);
  choices.setDirect(true);
  const again = new RoomChoices(storage, 'u_me');
  const room = (/** @type {string} */ name, visibility = 'public') => /** @type {any} */ ({ name, info: { visibility } });
  assert.deepEqual([again.isMuted('noise'), again.isMuted('team')], [true, false]);
  assert.deepEqual([again.isTold(room('team')), again.isTold(room('noise')), again.isTold(room('other'))], [true, false, false]);
  assert.ok(again.isTold(room('dm-1', 'direct')));
  assert.ok(!new RoomChoices(storage, 'u_other').isMuted('noise'));
});
