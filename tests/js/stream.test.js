import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamTransport } from '../../static/js/net/stream.js';

/** The browser's EventSource as far as stream.js uses it. */
class FakeEventSource {
  /** @type {FakeEventSource[]} */ static made = [];
  readyState = 0;
  onerror = () => {};
  /** @type {Map<string, (message: {data: string, lastEventId: string}) => void>} */ listeners = new Map();

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeEventSource.made.push(this);
  }

  /** @param {string} type @param {(message: {data: string, lastEventId: string}) => void} run */
  addEventListener(type, run) {
    this.listeners.set(type, run);
  }

  close() {
    this.readyState = 2;
  }

  /** @param {string} type @param {object | string} data @param {string} lastEventId */
  say(type, data, lastEventId = '') {
    this.listeners.get(type)?.({ data: typeof data === 'string' ? data : JSON.stringify(data), lastEventId });
  }
}

function open() {
  /** @type {unknown[]} */ const heard = [];
  const transport = streamTransport({ EventSource: /** @type {any} */ (FakeEventSource), url: (since) => `/stream?since=${since}` });
  const handle = transport('5-0', {
    event: ({ type }, cursor) => heard.push([type, cursor]),
    dropped: (loss) => heard.push(loss),
  });
  const source = /** @type {FakeEventSource} */ (FakeEventSource.made.at(-1));
  return { heard, source, handle };
}

test('asks from the cursor and passes events with theirs', () => {
  const { source, heard } = open();
  assert.equal(source.url, '/stream?since=5-0');
  source.say('message.created', { cursor: '6-0' }, '6-0');
  source.say('typing', { typing: true }, '6-0');
  assert.deepEqual(heard, [['message.created', '6-0'], ['typing', '6-0']]);
});

test('the end that was announced is no loss, the next error is', () => {
  const { source, heard } = open();
  source.say('closing', { reason: 'rotate' }, '7-0');
  source.onerror();
  assert.deepEqual(heard, [['closing', '7-0']]);
  source.onerror();
  assert.equal(heard.at(-1), 'lost');
  assert.equal(source.readyState, 2);
});

test('an end without a word is a loss', () => {
  const { source, heard } = open();
  source.onerror();
  assert.deepEqual(heard, ['lost']);
});

test('an EventSource that gave up has ended', () => {
  const { source, heard } = open();
  source.readyState = 2;
  source.onerror();
  assert.deepEqual(heard, ['ended']);
});

test('data that is not JSON is left out', (context) => {
  context.mock.method(console, 'error', () => {});
  const { source, heard } = open();
  source.say('message.created', '{', '6-0');
  assert.deepEqual(heard, []);
});
