import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connection } from '../../static/js/net/connection.js';
import { FakeClock, settle } from './fake_clock.js';

/** A transport that does what the test says. */
class FakeTransport {
  /** @type {{since: string, closed: boolean, listener: import('../../static/js/net/transport.js').Listener}[]} */
  opened = [];

  /** @type {import('../../static/js/net/transport.js').OpenTransport} */
  open = (since, listener) => {
    const one = { since, listener, closed: false };
    this.opened.push(one);
    return { close: () => { one.closed = true; } };
  };

  get last() {
    const last = this.opened.at(-1);
    assert.ok(last, 'was never opened');
    return last;
  }

  /** @param {string} type @param {string | null} cursor @param {object} fields */
  say(type, cursor = null, fields = {}) {
    this.last.listener.event({ type, ...fields }, cursor);
  }

  /** @param {import('../../static/js/net/transport.js').Loss} loss @param {number | null} retryAfterMs */
  drop(loss, retryAfterMs = null) {
    this.last.listener.dropped(loss, retryAfterMs);
  }
}

/** @param {{forced?: 'stream' | 'poll' | null, random?: () => number}} options */
function setUp({ forced = null, random = () => 0.999 } = {}) {
  const clock = new FakeClock();
  const stream = new FakeTransport();
  const poll = new FakeTransport();
  /** @type {string[]} */ const heard = [];
  /** @type {string[]} */ const phases = [];
  /** @type {{answer: boolean | Error}} */ const session = { answer: true };
  const connection = new Connection({
    open: { stream: stream.open, poll: poll.open }, forced, clock,
    random,
    sessionStands: async () => {
      if (session.answer instanceof Error) throw session.answer;
      return session.answer;
    },
    on: {
      event: (event) => { heard.push(event.type); },
      state: ({ phase }) => { if (phases.at(-1) !== phase) phases.push(phase); },
      reset: async () => { heard.push('reset'); return '500-0'; },
      signedOut: () => { heard.push('signed out'); },
      reopened: () => { heard.push('reopened'); },
    },
  });
  connection.start('100-0');
  return { clock, stream, poll, heard, phases, session, connection };
}

test('opens the stream at the cursor it was given and is live with ready', () => {
  const { stream, connection, phases } = setUp();
  assert.equal(stream.last.since, '100-0');
  assert.equal(connection.state.phase, 'connecting');
  stream.say('ready', '100-0');
  assert.deepEqual(phases, ['connecting', 'live']);
});

test('events are passed on and move the cursor; heartbeats only move it', () => {
  const { stream, connection, heard } = setUp();
  stream.say('ready', '100-0');
  stream.say('message.created', '101-0');
  stream.say('heartbeat', '105-0');
  stream.say('message.created', null);
  assert.deepEqual(heard, ['message.created', 'message.created']);
  assert.equal(connection.cursor, '105-0');
});

test('an event that cannot be applied does not stop the next', (context) => {
  context.mock.method(console, 'error', () => {});
  const { connection, stream, heard } = setUp();
  heard.push = () => { throw new Error('indigestible'); };
  stream.say('ready', '100-0');
  stream.say('message.created', '101-0');
  assert.equal(connection.cursor, '101-0');
});

test('a lost stream is opened again from the newest cursor after a wait', async () => {
  const { stream, clock, connection } = setUp();
  stream.say('ready', '100-0');
  stream.say('message.created', '101-0');
  stream.drop('lost');
  assert.equal(connection.state.phase, 'lost');
  assert.equal(stream.opened.length, 1);
  await clock.pass(500);
  assert.equal(stream.last.since, '101-0');
});

test('waits double up to 30 s and no further', async () => {
  const { stream, clock, connection } = setUp();
  const waits = [];
  for (let round = 0; round < 9; round += 1) {
    stream.drop('lost');
    waits.push((connection.state.retryAtMs ?? 0) - clock.now());
    await clock.pass(waits[round]);
  }
  assert.deepEqual(waits, [500, 999, 1998, 3996, 7992, 15984, 29970, 29970, 29970]);
});

test('18 fifty that are cut off at once come back spread over the whole of their window', () => {
  const waits = Array.from({ length: 50 }, () => {
    const { stream, clock, connection } = setUp({ random: Math.random });
    stream.say('ready', '100-0');
    stream.drop('lost');
    return (connection.state.retryAtMs ?? 0) - clock.now();
  });
  assert.ok(Math.max(...waits) <= 500);
  for (const quarter of [0, 1, 2, 3]) {
    const inIt = waits.filter((wait) => Math.floor(wait / 125.001) === quarter).length;
    assert.ok(inIt > 0 && inIt < 30, `${inIt} of 50 in one quarter`);
  }
});

test('a connection that lived for a while begins with short waits again, a short-lived one does not', async () => {
  const { stream, clock, connection } = setUp();
  const waitAfterLivingMs = async (/** @type {number} */ livedMs) => {
    stream.say('ready', '100-0');
    await clock.pass(livedMs);
    stream.drop('lost');
    const waitMs = (connection.state.retryAtMs ?? 0) - clock.now();
    await clock.pass(waitMs);
    return waitMs;
  };
  const waits = [];
  for (const livedMs of [100, 100, 100, 10_000]) waits.push(await waitAfterLivingMs(livedMs));
  assert.deepEqual(waits, [500, 999, 1998, 500]);
});

test('the server may ask for a longer wait', async () => {
  const { poll, clock, connection } = setUp({ forced: 'poll' });
  poll.drop('lost', 7_000);
  assert.equal((connection.state.retryAtMs ?? 0) - clock.now(), 7_000);
});

test('try now, the network and the tab coming back open at once', () => {
  const { stream, connection } = setUp();
  for (let round = 0; round < 4; round += 1) {
    stream.drop('lost');
    connection.tryNow();
    assert.equal(stream.opened.length, round + 2);
  }
  stream.drop('lost');
  connection.wake();
  assert.equal(stream.opened.length, 6);
});

test('an answer to another request ends the wait, but not one the server asked for', () => {
  const first = setUp({ forced: 'poll' });
  first.poll.drop('lost');
  first.connection.serverAnswers();
  assert.equal(first.poll.opened.length, 2);
  first.connection.serverAnswers();
  assert.equal(first.poll.opened.length, 2);

  const second = setUp({ forced: 'poll' });
  second.poll.drop('lost', 7_000);
  second.connection.serverAnswers();
  assert.equal(second.poll.opened.length, 1);
});

test('no ready within 5 s, twice: goes on by poll from the same cursor', async () => {
  const { stream, poll, clock, connection } = setUp();
  await clock.pass(5_000);
  assert.equal(stream.opened.length, 2);
  assert.ok(stream.opened[0].closed);
  await clock.pass(5_000);
  assert.equal(connection.state.transport, 'poll');
  assert.equal(poll.last.since, '100-0');
  poll.say('ready', null);
  assert.equal(connection.state.phase, 'live');
});

test('40 s of silence is a dead stream', async () => {
  const { stream, clock } = setUp();
  stream.say('ready', '100-0');
  await clock.pass(39_000);
  assert.equal(stream.opened.length, 1);
  await clock.pass(1_000);
  assert.equal(stream.opened.length, 2);
});

test('heartbeats keep it alive and clear its name', async () => {
  const { stream, poll, clock } = setUp();
  await clock.pass(5_000);
  stream.say('ready', '100-0');
  for (let beat = 0; beat < 10; beat += 1) {
    await clock.pass(15_000);
    stream.say('heartbeat', `${200 + beat}-0`);
  }
  await clock.pass(40_000);
  assert.equal(stream.opened.length, 3);
  assert.equal(poll.opened.length, 0);
});

test('after ten minutes of polling the stream is tried, and one silence is enough to return', async () => {
  const { stream, poll, clock, connection } = setUp();
  await clock.pass(10_000);
  poll.say('ready', null);
  poll.say('heartbeat', '150-0');
  await clock.pass(600_000);
  assert.equal(connection.state.transport, 'stream');
  assert.equal(stream.last.since, '150-0');
  assert.ok(poll.last.closed);
  await clock.pass(5_000);
  assert.equal(connection.state.transport, 'poll');
});

test('polls that failed too were no proxy: the stream is tried when they work again', async () => {
  const { stream, poll, clock, connection } = setUp();
  await clock.pass(10_000);
  poll.drop('lost');
  await clock.pass(1_000);
  poll.say('ready', null);
  assert.equal(connection.state.transport, 'stream');
  assert.equal(stream.opened.length, 3);
});

test('a forced transport is kept', async () => {
  const { stream, poll, clock } = setUp({ forced: 'stream' });
  await clock.pass(60_000);
  assert.ok(stream.opened.length > 5);
  assert.equal(poll.opened.length, 0);
});

test('closing to rotate is no loss: the browser comes back by itself', async () => {
  const { stream, clock, phases } = setUp();
  stream.say('ready', '100-0');
  stream.say('closing', '110-0', { reason: 'rotate', retryAfterMs: 300 });
  await clock.pass(400);
  stream.say('ready', '110-0');
  assert.equal(stream.opened.length, 1);
  assert.deepEqual(phases, ['connecting', 'live']);
});

test('closing because the server is overloaded shows as a loss with its time', () => {
  const { stream, clock, connection } = setUp();
  stream.say('closing', null, { reason: 'too_many_connections', retryAfterMs: 9_000 });
  assert.equal(connection.state.phase, 'lost');
  assert.equal((connection.state.retryAtMs ?? 0) - clock.now(), 9_000);
  stream.say('ready', '100-0');
  assert.equal(connection.state.phase, 'live');
});

test('a stream that never comes back after closing is opened anew', async () => {
  const { stream, clock } = setUp();
  stream.say('ready', '100-0');
  stream.say('closing', '110-0', { reason: 'rotate', retryAfterMs: 1_000 });
  await clock.pass(6_000);
  assert.equal(stream.last.since, '110-0');
  assert.equal(stream.opened.length, 2);
});

test('a stream refused for good: session gone means signed out', async () => {
  const { stream, session, heard, connection } = setUp();
  session.answer = false;
  stream.drop('ended');
  await settle();
  assert.deepEqual(heard, ['signed out']);
  assert.equal(connection.state.phase, 'stopped');
});

test('a stream refused for good: session stands means rooms anew, and poll if it happens again', async () => {
  const { stream, poll, clock, heard } = setUp();
  stream.drop('ended');
  await clock.pass(500);
  assert.deepEqual(heard, ['reopened']);
  assert.equal(stream.opened.length, 2);
  stream.drop('ended');
  await clock.pass(1_000);
  assert.equal(poll.opened.length, 1);
});

test('a stream refused for good and no answer about the session: back off', async () => {
  const { stream, session, clock, heard } = setUp();
  session.answer = new Error('no answer');
  stream.drop('ended');
  await clock.pass(500);
  assert.deepEqual(heard, []);
  assert.equal(stream.opened.length, 2);
});

test('closing as signed out asks the session at once', async () => {
  const { stream, session, heard } = setUp();
  session.answer = false;
  stream.say('ready', '100-0');
  stream.say('closing', '110-0', { reason: 'signed_out' });
  await settle();
  assert.deepEqual(heard, ['signed out']);
});

test('reset reloads everything and goes on from the cursor in it', () => {
  const { stream, connection, heard } = setUp();
  stream.say('ready', '100-0');
  stream.say('reset', '90-0', { cursor: '90-0' });
  assert.deepEqual(heard, ['reset']);
  assert.equal(connection.cursor, '90-0');
  assert.ok(!stream.last.closed);
});

test('a cursor the server cannot read: reload, then go on from the reload', async () => {
  const { poll, clock, heard } = setUp({ forced: 'poll' });
  poll.drop('bad_cursor');
  await clock.pass(1_000);
  assert.deepEqual(heard, ['reset']);
  assert.equal(poll.last.since, '500-0');
});

test('after sleep, being looked at again opens at once and blames no proxy', async () => {
  const { stream, poll, clock, connection } = setUp();
  stream.say('ready', '100-0');
  clock.sleep(600_000);
  connection.wake();
  assert.equal(stream.opened.length, 2);
  stream.say('ready', '100-0');
  clock.sleep(600_000);
  await clock.pass(0);
  assert.equal(stream.opened.length, 3);
  assert.equal(poll.opened.length, 0);
});

test('an older transport is not heard any more', async () => {
  const { stream, clock, heard, connection } = setUp();
  const first = stream.last;
  await clock.pass(5_000);
  first.listener.event({ type: 'message.created' }, '999-0');
  first.listener.dropped('ended', null);
  await settle();
  assert.deepEqual(heard, []);
  assert.equal(connection.cursor, '100-0');
});

test('stopped is stopped', async () => {
  const { stream, clock, connection } = setUp();
  stream.drop('lost');
  connection.stop();
  connection.wake();
  connection.tryNow();
  await clock.pass(3_600_000);
  assert.equal(stream.opened.length, 1);
});
