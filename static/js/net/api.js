// The HTTP calls of the contract: JSON in, JSON out, ApiError otherwise.

import { ApiError, NO_ANSWER, TIMED_OUT, FOREIGN_ANSWER, errorFromAnswer } from './api_error.js';

/**
 * @typedef {import('./shapes.js').User} User
 * @typedef {import('./shapes.js').Member} Member
 * @typedef {import('./shapes.js').Message} Message
 * @typedef {import('./shapes.js').RoomInfo} RoomInfo
 */

const ANSWER_WITHIN_MS = 12_000; // the server answers every send within 10 s
const POLL_GRACE_MS = 10_000; // on top of the time the server holds a poll
const MOST_MEMBERS = 20_000; // nobody looks through more, and each page of a thousand takes a while

/**
 * @typedef {object} Call
 * @property {unknown} [body]
 * @property {AbortSignal} [signal]
 * @property {number} [timeoutMs]
 */

export class Api {
  /**
   * The user this page belongs to. The cookie may become another user's unnoticed; requests meant for this one are
   * then refused.
   * @type {string | null}
   */
  user = null;
  /** Answers that were asked for before anybody needed them. @type {Map<string, Promise<any>>} */
  #ahead = new Map();
  #root;
  #fetch;
  #clock;

  /**
   * @param {object} parts
   * @param {string} parts.root path prefix, '' at the root of the site
   * @param {typeof fetch} parts.fetch
   * @param {import('./clock.js').Clock} parts.clock
   */
  constructor({ root, fetch, clock }) {
    this.#root = root;
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** @param {string} path */
  url(path) {
    return `${this.#root}/api/v1${path}`;
  }

  /**
   * Asks now for what the page will need, all at once: each round trip less is seen at the start.
   * @param {string[]} paths
   */
  ahead(paths) {
    for (const path of paths) {
      const answer = this.#call('GET', path);
      answer.catch(() => {}); // whoever takes it hears of it
      this.#ahead.set(path, answer);
    }
  }

  /** @returns {Promise<{user: User}>} */
  session() {
    return this.#call('GET', '/session');
  }

  /**
   * @param {string} name
   * @returns {Promise<{user: User}>}
   */
  signIn(name) {
    this.#ahead.clear(); // asked for as nobody, or as somebody else
    return this.#call('POST', '/session', { body: { name } });
  }

  /** @returns {Promise<void>} */
  signOut() {
    return this.#call('DELETE', '/session');
  }

  /**
   * @param {string | null} [after]
   * @returns {Promise<import('./shapes.js').RoomsPage>}
   */
  rooms(after) {
    return this.#call('GET', `/rooms${query({ after })}`);
  }

  /**
   * @param {{name: string, title?: string, visibility: string}} room
   * @returns {Promise<RoomInfo>}
   */
  createRoom(room) {
    return this.#call('POST', '/rooms', { body: room });
  }

  /**
   * @param {string} room
   * @returns {Promise<RoomInfo>}
   */
  room(room) {
    return this.#call('GET', roomPath(room));
  }

  /**
   * @param {string} room
   * @param {string | null} title
   * @returns {Promise<RoomInfo>}
   */
  renameRoom(room, title) {
    return this.#call('PATCH', roomPath(room), { body: { title } });
  }

  /**
   * @param {string} room
   * @returns {Promise<void>}
   */
  deleteRoom(room) {
    return this.#call('DELETE', roomPath(room));
  }

  /**
   * @param {string} room
   * @returns {Promise<{receipts: import('./shapes.js').Receipt[]}>}
   */
  receipts(room) {
    return this.#call('GET', `${roomPath(room)}/receipts`);
  }

  /**
   * @param {string} room
   * @returns {Promise<User>} the new member
   */
  join(room) {
    return this.#call('PUT', `${roomPath(room)}/members/me`, { body: {} });
  }

  /**
   * @param {string} room
   * @returns {Promise<void>}
   */
  leave(room) {
    return this.#call('DELETE', `${roomPath(room)}/members/me`);
  }

  /**
   * All of them, page by page, at most MOST_MEMBERS.
   * @param {string} room
   * @returns {Promise<{members: Member[]}>}
   */
  async members(room) {
    /** @type {Member[]} */
    const members = [];
    /** @type {string | null} */
    let after = null;
    do {
      /** @type {{members: Member[], after: string | null}} */
      const page = await this.#call('GET', `${roomPath(room)}/members${query({ limit: 1000, after })}`);
      members.push(...page.members);
      after = page.after;
    } while (after !== null && members.length < MOST_MEMBERS);
    return { members };
  }

  /**
   * @param {string} room
   * @param {string} userId
   * @returns {Promise<User>} the new member
   */
  invite(room, userId) {
    return this.#call('PUT', `${roomPath(room)}/members/${encodeURIComponent(userId)}`, { body: {} });
  }

  /**
   * @param {string} room
   * @param {string} userId
   * @returns {Promise<void>}
   */
  remove(room, userId) {
    return this.#call('DELETE', `${roomPath(room)}/members/${encodeURIComponent(userId)}`);
  }

  /**
   * @param {string} room
   * @param {string} userId a member
   * @returns {Promise<RoomInfo>}
   */
  handOver(room, userId) {
    return this.#call('PATCH', roomPath(room), { body: { owner: userId } });
  }

  /**
   * The room of just these two.
   * @param {string} userId
   * @returns {Promise<RoomInfo>}
   */
  direct(userId) {
    return this.#call('PUT', `/direct/${encodeURIComponent(userId)}`, { body: {} });
  }

  /**
   * @param {string} room
   * @param {{before?: string | null, after?: string | null, limit?: number}} [page]
   * @returns {Promise<import('./shapes.js').HistoryPage>}
   */
  history(room, page = {}) {
    return this.#call('GET', `${roomPath(room)}/messages${query(page)}`);
  }

  /**
   * @param {{room: string, localId: string, body: string, data?: import('./shapes.js').Data | null}} message
   * @returns {Promise<Message>}
   */
  send({ room, localId, body, data }) {
    return this.#call('POST', `${roomPath(room)}/messages`, { body: { localId, body, ...(data ? { data } : {}) } });
  }

  /**
   * @param {string} id
   * @param {string} body
   * @returns {Promise<Message>}
   */
  edit(id, body) {
    return this.#call('PATCH', `/messages/${encodeURIComponent(id)}`, { body: { body } });
  }

  /**
   * @param {string} id
   * @returns {Promise<Message>}
   */
  withdraw(id) {
    return this.#call('DELETE', `/messages/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} id
   * @returns {Promise<Message>}
   */
  message(id) {
    return this.#call('GET', `/messages/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} cursor
   * @returns {Promise<void>}
   */
  ack(cursor) {
    return this.#call('POST', '/events/ack', { body: { cursor } });
  }

  /**
   * @param {string} room
   * @param {string} cursor
   * @returns {Promise<void>}
   */
  read(room, cursor) {
    return this.#call('POST', `${roomPath(room)}/read`, { body: { cursor } });
  }

  /**
   * @param {string} room
   * @param {boolean} typing
   * @returns {Promise<void>}
   */
  typing(room, typing) {
    return this.#call('POST', `${roomPath(room)}/typing`, { body: { typing } });
  }

  /**
   * @param {string} since
   * @param {number} waitSeconds
   * @param {AbortSignal} [signal]
   * @returns {Promise<import('./shapes.js').PollAnswer>}
   */
  poll(since, waitSeconds, signal) {
    const path = `/events/poll${query({ since, wait: waitSeconds })}`;
    return this.#call('GET', path, { signal, timeoutMs: waitSeconds * 1000 + POLL_GRACE_MS });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  async #call(method, path, call = {}) {
    const ahead = method === 'GET' ? this.#ahead.get(path) : undefined;
    if (ahead) {
      this.#ahead.delete(path);
      return ahead;
    }
    const abort = new AbortController();
    let timedOut = false;
    const timer = this.#clock.setTimeout(() => {
      timedOut = true;
      abort.abort();
    }, call.timeoutMs ?? ANSWER_WITHIN_MS);
    const pass = () => abort.abort();
    call.signal?.addEventListener('abort', pass);
    try {
      return await this.#exchange(method, path, call.body, abort.signal);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError({ code: timedOut ? TIMED_OUT : NO_ANSWER, retryable: true, detail: String(error) });
    } finally {
      this.#clock.clearTimeout(timer);
      call.signal?.removeEventListener('abort', pass);
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {AbortSignal} signal
   */
  async #exchange(method, path, body, signal) {
    const answer = await this.#fetch(this.url(path), {
      method,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        // The server requires this type on every changing request, because a plain HTML form cannot send it.
        ...(method === 'GET' ? {} : { 'Content-Type': 'application/json' }),
        // Reading the session or signing in may be about another user; signing out is about this one. Encoded, because
        // a host's ids may have any letters and a header only those of Latin-1.
        ...(this.user === null || (path === '/session' && method !== 'DELETE')
          ? {}
          : { 'Chat-User': encodeURIComponent(this.user) }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status === 204) return undefined;
    const content = await readJson(answer);
    if (!answer.ok) throw errorFromAnswer(answer.status, content, answer.headers.get('Retry-After'));
    if (content === null) throw new ApiError({ code: FOREIGN_ANSWER, retryable: true });
    return content;
  }
}

/** @param {Response} answer */
async function readJson(answer) {
  const text = await answer.text(); // a connection cut here is "no answer", not a foreign one
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} room */
function roomPath(room) {
  return `/rooms/${encodeURIComponent(room)}`;
}

/** @param {Record<string, string | number | null | undefined>} fields */
export function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  if (!given.length) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
