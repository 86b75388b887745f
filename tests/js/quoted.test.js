import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../static/js/net/api_error.js';
import { Quoted } from '../../static/js/rooms/quoted.js';
import { Room } from '../../static/js/rooms/room.js';
import { FakeClock, settle } from './fake_clock.js';
import { ADA, message } from './samples.js';

const room = new Room(/** @type {any} */ ({ name: 'general', title: null, visibility: 'public', member: true, memberCount: 2 }), ADA.id);

/** @param {(id: string, asked: number) => Promise<import('../../static/js/net/shapes.js').Message>} answer */
function setUp(answer) {
  const clock = new FakeClock();
  let asked = 0;
  const quoted = new Quoted((id) => answer(id, (asked += 1)), clock);
  return { clock, quoted, asked: () => asked };
}

test('49 all who quote a message hear of it, and it is asked for once', async () => {
  const { quoted, asked } = setUp(async (id) => message({ id, room: 'general' }));
  const told = /** @type {string[]} */ ([]);
  for (const who of ['first', 'second']) assert.equal(quoted.get(room, 'm9', () => told.push(who)), undefined);
  await settle();
  assert.deepEqual([told, asked()], [['first', 'second'], 1]);
  assert.equal(quoted.get(room, 'm9', () => {})?.sender.name, 'Bob');
});

test('49 while the server does not answer it is asked for every ten seconds, not more', async () => {
  const { quoted, clock, asked } = setUp(async (id, count) => {
    if (count < 3) throw new ApiError({ code: 'network', retryable: true });
    return message({ id, room: 'general' });
  });
  let told = 0;
  const get = () => quoted.get(room, 'm8', () => { told += 1; get(); });
  get();
  await settle();
  assert.deepEqual([asked(), told], [1, 0]);
  await clock.pass(10_000);
  await clock.pass(10_000);
  assert.deepEqual([asked(), told], [3, 1]);
});

test('49 a message of another room, or one that is gone, is none', async () => {
  const { quoted } = setUp(async (id) => {
    if (id === 'gone') throw new ApiError({ code: 'not_found', status: 404, retryable: false });
    return message({ id, room: 'elsewhere' });
  });
  for (const id of ['gone', 'other']) quoted.get(room, id, () => {});
  await settle();
  for (const id of ['gone', 'other']) assert.equal(quoted.get(room, id, () => {}), null);
});
