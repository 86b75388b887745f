import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../static/js/net/api_error.js';
import { Outbox } from '../../static/js/outbox/outbox.js';
import { MemoryStorage } from '../../static/js/outbox/outbox_db.js';
import { explain } from '../../static/js/outbox/refusal.js';
import { FakeClock, settle } from './fake_clock.js';
import { ADA, message } from './samples.js';

const OFFLINE = new ApiError({ code: 'network', retryable: true });
const UNAVAILABLE = new ApiError({ code: 'unavailable', status: 503, retryable: true, retryAfterMs: 4000 });
const LIMITED = new ApiError({ code: 'rate_limited', status: 429, retryable: true, retryAfterMs: 3000 });
const FORBIDDEN = new ApiError({ code: 'forbidden', status: 403, retryable: false });
const SIGNED_OUT = new ApiError({ code: 'unauthenticated', status: 401, retryable: false });

/** A server that answers as told and remembers what came. */
class FakeServer {
  /** @type {string[]} */ seen = [];
  /** @type {Map<string, import('../../static/js/net/shapes.js').Message>} */ stored = new Map();
  /** Errors for the next requests; null accepts. @type {(ApiError | null)[]} */ errors = [];
  loseAnswer = false;
  /** @type {() => void} */ onSend = () => {};

  send = async (/** @type {import('../../static/js/outbox/outbox.js').Item} */ item) => {
    this.seen.push(item.body);
    this.onSend();
    const error = this.errors.shift();
    if (error) throw error;
    const answer = this.stored.get(item.localId) ?? message({ ...item, id: `m-${item.localId}`, sender: ADA });
    this.stored.set(item.localId, answer);
    if (this.loseAnswer) throw OFFLINE;
    return answer;
  };
}

function setUp({ storage = new MemoryStorage(), server = new FakeServer(), clock = new FakeClock(), userId = ADA.id } = {}) {
  /** @type {string[]} */ const events = [];
  const outbox = new Outbox({
    userId, storage, clock, explain, send: server.send,
    random: () => 0.999,
    on: {
      sent: (item) => events.push(`sent ${item.body}`),
      failed: (item) => events.push(`failed ${item.body}`),
      changed: () => {},
      signedOut: () => events.push('signed out'),
    },
  });
  const add = (/** @type {string} */ body, room = 'general') =>
    outbox.add({ localId: `local-${room}-${body}`, room, body, createdAt: '2026-11-22T10:00:00.000Z' });
  return { outbox, storage, server, clock, events, add };
}

test('A, B and C go out in order, one at a time', async () => {
  const { add, server, outbox, storage } = setUp();
  await Promise.all(['A', 'B', 'C'].map((body) => add(body)));
  await settle();
  assert.deepEqual(server.seen, ['A', 'B', 'C']);
  assert.equal(outbox.pending.length, 0);
  assert.deepEqual(await storage.load(ADA.id), []);
});

test('written offline as A, B, C they arrive as A, B, C even if A fails again', async () => {
  const { add, server, clock } = setUp();
  server.errors = [OFFLINE, OFFLINE, UNAVAILABLE];
  for (const body of ['A', 'B', 'C']) await add(body);
  await clock.pass(60_000);
  assert.deepEqual(server.seen, ['A', 'A', 'A', 'A', 'B', 'C']);
  assert.deepEqual([...server.stored.values()].map(({ body }) => body), ['A', 'B', 'C']);
});

test('another room does not wait for a room whose head waits', async () => {
  const { add, server } = setUp();
  server.errors = [OFFLINE];
  await add('A');
  await settle();
  await add('B', 'other');
  await settle();
  assert.deepEqual(server.seen, ['A', 'B']);
});

test('a message is stored before it is sent and removed only after the answer', async () => {
  /** @type {string[]} */ const steps = [];
  const storage = new MemoryStorage();
  storage.put = async () => { await settle(); steps.push('stored'); };
  storage.remove = async () => { steps.push('removed'); };
  const { add, server } = setUp({ storage });
  server.onSend = () => steps.push('sent');
  await add('A');
  await settle();
  assert.deepEqual(steps, ['stored', 'sent', 'removed']);
});

test('a 4xx fails at once, is not tried again by itself, and lets the next one pass', async () => {
  const { add, server, outbox, events, clock } = setUp();
  server.errors = [FORBIDDEN];
  await add('A');
  await add('B');
  await clock.pass(120_000);
  assert.deepEqual(server.seen, ['A', 'B']);
  assert.deepEqual(events, ['failed A', 'sent B']);
  assert.deepEqual(outbox.failed.map(({ refusal }) => refusal?.code), ['forbidden']);
});

test('retry of a failed message uses the same localId', async () => {
  const { add, server, outbox } = setUp();
  server.errors = [FORBIDDEN];
  await add('A');
  await settle();
  await outbox.retry('local-general-A');
  await settle();
  assert.deepEqual([...server.stored.keys()], ['local-general-A']);
  assert.equal(outbox.failed.length, 0);
});

test('429 holds everything until Retry-After, then goes on by itself', async () => {
  const { add, server, outbox, clock } = setUp();
  server.errors = [LIMITED];
  await add('A');
  await settle();
  await add('B', 'other');
  outbox.wake();
  await clock.pass(2_900);
  assert.deepEqual(server.seen, ['A']);
  assert.ok(outbox.pausedUntilMs > clock.now());
  await clock.pass(200);
  assert.deepEqual(server.seen.sort(), ['A', 'A', 'B']);
});

test('503 waits at least as long as the server asks', async () => {
  const { add, server, clock } = setUp();
  server.errors = [UNAVAILABLE];
  await add('A');
  await clock.pass(3_900);
  assert.deepEqual(server.seen, ['A']);
  await clock.pass(200);
  assert.deepEqual(server.seen, ['A', 'A']);
});

test('waking tries at once', async () => {
  const { add, server, outbox } = setUp();
  server.errors = [OFFLINE, OFFLINE];
  await add('A');
  await settle();
  outbox.wake();
  await settle();
  outbox.wake();
  await settle();
  assert.equal(server.stored.size, 1);
});

test('a lost answer leads to one stored message', async () => {
  const { add, server, clock, outbox } = setUp();
  server.loseAnswer = true;
  await add('A');
  await settle();
  assert.equal(outbox.pending.length, 1);
  server.loseAnswer = false;
  await clock.pass(5_000);
  assert.deepEqual(server.seen, ['A', 'A']);
  assert.equal(server.stored.size, 1);
  assert.equal(outbox.pending.length, 0);
});

test('the event confirms what the answer did not', async () => {
  const { add, server, clock, outbox, storage } = setUp();
  server.loseAnswer = true;
  await add('A');
  await settle();
  await outbox.confirm('local-general-A');
  await clock.pass(60_000);
  assert.deepEqual(server.seen, ['A']);
  assert.deepEqual(await storage.load(ADA.id), []);
});

test('pending and failed messages survive a reload, in order', async () => {
  const first = setUp();
  first.server.errors = [FORBIDDEN, OFFLINE];
  await first.add('A');
  await first.add('B');
  await first.add('C');
  await settle();
  first.outbox.stop();

  const second = setUp({ storage: first.storage });
  const items = await second.outbox.load();
  assert.deepEqual(items.map(({ body }) => body), ['A', 'B', 'C']);
  second.outbox.wake();
  await second.clock.pass(60_000);
  assert.deepEqual(second.server.seen, ['B', 'C']);
  assert.deepEqual(second.outbox.failed.map(({ body }) => body), ['A']);
});

test("another user's messages are neither shown nor sent", async () => {
  const first = setUp();
  first.server.errors = [OFFLINE];
  await first.add('A');
  await settle();
  first.outbox.stop();

  const second = setUp({ storage: first.storage, userId: 'u_eve' });
  assert.deepEqual(await second.outbox.load(), []);
  second.outbox.wake();
  await second.clock.pass(60_000);
  assert.deepEqual(second.server.seen, []);
});

test('discarding says whether the server may have it', async () => {
  const { add, server, outbox, storage, clock } = setUp();
  server.errors = [OFFLINE];
  await add('A');
  await add('B');
  await settle();
  assert.equal(await outbox.discard('local-general-B'), 'never_sent');
  assert.equal(await outbox.discard('local-general-A'), 'maybe_sent');
  await clock.pass(60_000);
  assert.deepEqual(server.seen, ['A']);
  assert.deepEqual(await storage.load(ADA.id), []);
});

test('an ended session stops the sending and keeps the messages', async () => {
  const { add, server, storage, events, clock } = setUp();
  server.errors = [SIGNED_OUT];
  await add('A');
  await add('B');
  await clock.pass(60_000);
  assert.deepEqual(server.seen, ['A']);
  assert.deepEqual(events, ['signed out']);
  assert.equal((await storage.load(ADA.id)).length, 2);
});

test('a storage that fails does not keep a message from being sent', async (context) => {
  context.mock.method(console, 'error', () => {});
  const storage = new MemoryStorage();
  storage.put = () => Promise.reject(new Error('disk full'));
  const { add, server } = setUp({ storage });
  await add('A');
  await settle();
  assert.deepEqual(server.seen, ['A']);
});

test('a clock that is set back or ahead changes no pause', async () => {
  for (const byMs of [-3_600_000, 3_600_000]) {
    const { add, server, clock } = setUp();
    server.errors = [LIMITED];
    await add('A');
    await settle();
    clock.set(byMs);
    await clock.pass(2000);
    assert.equal(server.stored.size, 0);
    await clock.pass(2000);
    assert.equal(server.stored.size, 1);
  }
});
