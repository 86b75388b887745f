import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from '../../static/js/net/api.js';
import { Http } from '../../static/js/net/http.js';
import { asApiError } from '../../static/js/net/api_error.js';
import { FakeClock } from './fake_clock.js';

/** @param {(url: string, init: RequestInit) => Promise<Response>} fetch */
function setUp(fetch) {
  const clock = new FakeClock();
  const http = new Http({ root: '/chat', clock, fetch: /** @type {any} */ (fetch) });
  return { clock, http, api: new Api(http) };
}

/**
 * @param {number} status
 * @param {string} body
 * @param {Record<string, string>} headers
 */
const answering = (status, body, headers = {}) => setUp(async () => new Response(body, { status, headers })).api;

const failure = async (/** @type {Promise<unknown>} */ call) =>
  call.then(() => assert.fail('should have failed'), (error) => asApiError(error));

test('changing requests carry the JSON type, also without a body', async () => {
  /** @type {{url: string, init: any}[]} */ const calls = [];
  const { api } = setUp(async (url, init) => {
    calls.push({ url, init });
    return new Response(null, { status: 204 });
  });
  await api.leave('general');
  await api.ack('5-0');
  assert.deepEqual(calls.map(({ url }) => url), ['/chat/api/v1/rooms/general/members/me', '/chat/api/v1/events/ack']);
  for (const { init } of calls) assert.equal(init.headers['Content-Type'], 'application/json');
});

test('what is asked for ahead is asked for once, and forgotten at the door', async () => {
  /** @type {string[]} */ const asked = [];
  const { api, http } = setUp(async (url, { method }) => {
    asked.push(`${method} ${url}`);
    return new Response('{"rooms":[],"after":null,"cursor":"1-0"}', { status: 200 });
  });
  http.ahead(['/session', '/rooms']);
  assert.equal((await api.rooms()).cursor, '1-0');
  assert.equal(asked.length, 2);
  await api.rooms();
  assert.equal(asked.length, 3);
  await api.signIn('Ada');
  await api.session();
  assert.deepEqual(asked.slice(3), ['POST /chat/api/v1/session', 'GET /chat/api/v1/session']);
});

test('members are asked for page by page', async () => {
  const pages = [{ members: [{ id: 'a' }], after: 'x=' }, { members: [{ id: 'b' }], after: null }];
  /** @type {string[]} */ const asked = [];
  const { api } = setUp(async (url) => {
    asked.push(url);
    return new Response(JSON.stringify(pages[asked.length - 1]));
  });
  assert.deepEqual((await api.members('team')).members.map(({ id }) => id), ['a', 'b']);
  assert.deepEqual(asked, ['limit=1000', 'limit=1000&after=x%3D'].map((query) => `/chat/api/v1/rooms/team/members?${query}`));
});

test('a problem document becomes an error with its code', async () => {
  const body = JSON.stringify({ code: 'invalid_message', detail: 'No.', retryable: false, errors: { body: ['Too long.'] } });
  const error = await failure(answering(422, body).session());
  assert.equal(error.code, 'invalid_message');
  assert.equal(error.retryable, false);
  assert.deepEqual(error.errors, { body: ['Too long.'] });
});

test('429 says how long to wait', async () => {
  const error = await failure(answering(429, '{"code": "rate_limited"}', { 'Retry-After': '3' }).session());
  assert.equal(error.retryable, true);
  assert.equal(error.retryAfterMs, 3000);
});

const FOREIGN = [
  ['a captive portal with 200', 200, '<html>'],
  ['a proxy that cannot reach the server', 502, '<html>'],
  ['a proxy with a page of its own for 403', 403, '<html>'],
  ['a proxy with a page of its own for 401', 401, '<html>'],
];
for (const [name, status, body] of FOREIGN) {
  test(`${name} says nothing about the request: try again`, async () => {
    const error = await failure(answering(Number(status), String(body)).session());
    assert.equal(error.retryable, true);
    assert.equal(error.signedOut, false);
  });
}

test('a proxy that refuses the size will refuse it again', async () => {
  assert.equal((await failure(answering(413, '<html>').session())).retryable, false);
});

test('no answer and no answer in time', async () => {
  const { api } = setUp(() => Promise.reject(new TypeError('failed to fetch')));
  assert.equal((await failure(api.session())).code, 'network');

  const slow = setUp((_url, init) => new Promise((_resolve, reject) => {
    init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
  }));
  const call = failure(slow.api.session());
  await slow.clock.pass(12_000);
  assert.equal((await call).code, 'timeout');
});
