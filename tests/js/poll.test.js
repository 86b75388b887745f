import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../static/js/net/api_error.js';
import { pollTransport } from '../../static/js/net/poll.js';
import { FakeClock, settle } from './fake_clock.js';

/** @param {(import('../../static/js/net/shapes.js').PollAnswer | {answer: unknown} | ApiError)[]} answers then it hangs */
function open(answers) {
  /** @type {unknown[]} */ const heard = [];
  /** @type {unknown[]} */ const asked = [];
  const poll = async (/** @type {string} */ since, /** @type {number} */ wait) => {
    asked.push([since, wait]);
    const answer = answers.shift();
    if (!answer) return new Promise(() => {});
    if (answer instanceof ApiError) throw answer;
    return 'answer' in answer ? answer.answer : answer;
  };
  const handle = pollTransport({ clock: new FakeClock(), poll: /** @type {any} */ (poll) })('5-0', {
    event: ({ type }, cursor) => heard.push([type, cursor]),
    dropped: (loss, retryAfterMs) => heard.push([loss, retryAfterMs]),
  });
  return { heard, asked, handle };
}

test('asks at once first, then lets the server hold; an empty answer moves the cursor', async () => {
  const { asked, heard } = open([
    { events: [], cursor: '6-0' },
    { events: [{ type: 'message.created', cursor: '7-0' }], cursor: '8-0' },
  ]);
  await settle();
  assert.deepEqual(asked, [['5-0', 0], ['6-0', 25], ['8-0', 25]]);
  assert.deepEqual(heard, [['ready', null], ['heartbeat', '6-0'], ['message.created', '7-0'], ['heartbeat', '8-0']]);
});

test('reset is an event with the cursor to continue from', async () => {
  const { asked, heard } = open([{ events: [], cursor: '3-0', reset: true }]);
  await settle();
  assert.deepEqual(heard.at(-1), ['reset', '3-0']);
  assert.deepEqual(asked.at(-1), ['3-0', 25]);
});

const LOSSES = [
  ['signed_out', { code: 'unauthenticated', status: 401, retryable: false }, null],
  ['bad_cursor', { code: 'invalid_cursor', status: 400, retryable: false }, null],
  ['lost', { code: 'unavailable', status: 503, retryable: true, retryAfterMs: 2000 }, 2000],
  ['lost', { code: 'network', retryable: true }, null],
  ['ended', { code: 'forbidden', status: 403, retryable: false }, null],
];

for (const [loss, facts, retryAfterMs] of LOSSES) {
  const { code } = /** @type {{code: string}} */ (facts);
  test(`${code} is reported as ${loss}, and nothing is asked any more`, async () => {
    const { asked, heard } = open([new ApiError(/** @type {any} */ (facts))]);
    await settle();
    assert.deepEqual(heard, [[loss, retryAfterMs]]);
    assert.equal(asked.length, 1);
  });
}

for (const [what, answer] of [['no content', undefined], ['foreign JSON', { status: 'ok' }], ['a number', 502]]) {
  test(`${what} instead of events is a loss, and never live`, async () => {
    const { asked, heard } = open([{ answer }, { events: [], cursor: '6-0' }]);
    await settle();
    assert.deepEqual(heard, [['lost', null]]);
    assert.equal(asked.length, 1);
  });
}

test('closed is silent', async () => {
  const { heard, handle } = open([{ events: [], cursor: '6-0' }]);
  handle.close();
  await settle();
  assert.deepEqual(heard, []);
});

test('holds that are cut again and again become shorter, down to 5 s', async () => {
  const clock = new FakeClock();
  /** @type {number[]} */ const holds = [];
  const transport = pollTransport({
    clock,
    poll: async (_since, waitSeconds) => {
      if (waitSeconds === 0) return { events: [], cursor: '6-0' };
      holds.push(waitSeconds);
      clock.sleep(10_000);
      throw new ApiError({ code: 'network', retryable: true });
    },
  });
  for (let round = 0; round < 8; round += 1) {
    transport('5-0', { event: () => {}, dropped: () => {} });
    await settle();
  }
  assert.deepEqual(holds, [25, 25, 12, 12, 6, 6, 5, 5]);
});
