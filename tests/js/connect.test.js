import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../static/js/net/connect.js';
import { FakeClock } from './fake_clock.js';

function setUp() {
  const clock = new FakeClock();
  /** @type {string[]} */ const opened = [];
  let open = 0;
  /** @type {import('../../static/js/net/transport.js').OpenTransport} */
  const transport = (since, listener) => {
    opened.push(since);
    open += 1;
    listener.event({ type: 'ready', cursor: since }, '1000-7');
    return { close: () => { open -= 1; } };
  };
  const link = connect({
    me: 'tab', tabs: null, visible: () => true, catchUp: async () => { throw new Error('alone'); },
    connection: {
      clock, random: () => 0.5, sessionStands: async () => true, open: { stream: transport, poll: transport },
      on: { event: () => {}, state: () => {}, reset: async () => '', signedOut: () => {}, reopened: () => {} },
    },
  });
  return { link, clock, opened, open: () => open };
}

test('a tab alone lets go when it is hidden for long, and goes on from its place when it is seen', async () => {
  const { link, clock, opened, open } = setUp();
  link.connection.start('1000-0');
  link.setVisible(false);
  await clock.pass(4000);
  link.setVisible(true);
  await clock.pass(10_000);
  assert.deepEqual([opened, open()], [['1000-0'], 1]);
  link.setVisible(false);
  await clock.pass(6000);
  assert.equal(open(), 0);
  link.setVisible(true);
  assert.deepEqual([opened, open()], [['1000-0', '1000-7'], 1]);
});

test('a session that ended while the tab was hidden is not taken up again', async () => {
  const { link, clock, open } = setUp();
  link.connection.start('1000-0');
  link.setVisible(false);
  link.connection.stop();
  await clock.pass(6000);
  link.setVisible(true);
  assert.equal(open(), 0);
});
