// The calls of the contract, each as a method.

import { query } from './http.js';

/**
 * @typedef {import('./shapes.js').User} User
 * @typedef {import('./shapes.js').Member} Member
 * @typedef {import('./shapes.js').Message} Message
 * @typedef {import('./shapes.js').RoomInfo} RoomInfo
 */

const POLL_GRACE_MS = 10_000; // on top of the time the server holds a poll
const MOST_MEMBERS = 20_000; // nobody looks through more, and each page of a thousand takes a while

export class Api {
  #http;

  /** @param {import('./http.js').Http} http */
  constructor(http) {
    this.#http = http;
  }

  /** @returns {Promise<{user: User}>} */
  session() {
    return this.#http.call('GET', '/session');
  }

  /**
   * @param {string} name
   * @returns {Promise<{user: User}>}
   */
  signIn(name) {
    this.#http.forgetAhead();
    return this.#http.call('POST', '/session', { body: { name } });
  }

  /** @returns {Promise<void>} */
  signOut() {
    return this.#http.call('DELETE', '/session');
  }

  /**
   * @param {string | null} [after]
   * @returns {Promise<import('./shapes.js').RoomsPage>}
   */
  rooms(after) {
    return this.#http.call('GET', `/rooms${query({ after })}`);
  }

  /**
   * @param {{name: string, title?: string, visibility: string}} room
   * @returns {Promise<RoomInfo>}
   */
  createRoom(room) {
    return this.#http.call('POST', '/rooms', { body: room });
  }

  /**
   * @param {string} room
   * @returns {Promise<RoomInfo>}
   */
  room(room) {
    return this.#http.call('GET', roomPath(room));
  }

  /**
   * @param {string} room
   * @param {string | null} title
   * @returns {Promise<RoomInfo>}
   */
  renameRoom(room, title) {
    return this.#http.call('PATCH', roomPath(room), { body: { title } });
  }

  /**
   * @param {string} room
   * @returns {Promise<void>}
   */
  deleteRoom(room) {
    return this.#http.call('DELETE', roomPath(room));
  }

  /**
   * @param {string} room
   * @returns {Promise<{receipts: import('./shapes.js').Receipt[]}>}
   */
  receipts(room) {
    return this.#http.call('GET', `${roomPath(room)}/receipts`);
  }

  /**
   * @param {string} room
   * @returns {Promise<User>} the new member
   */
  join(room) {
    return this.#http.call('PUT', `${roomPath(room)}/members/me`, { body: {} });
  }

  /**
   * @param {string} room
   * @returns {Promise<void>}
   */
  leave(room) {
    return this.#http.call('DELETE', `${roomPath(room)}/members/me`);
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
      const page = await this.#http.call('GET', `${roomPath(room)}/members${query({ limit: 1000, after })}`);
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
    return this.#http.call('PUT', `${roomPath(room)}/members/${encodeURIComponent(userId)}`, { body: {} });
  }

  /**
   * @param {string} room
   * @param {string} userId
   * @returns {Promise<void>}
   */
  remove(room, userId) {
    return this.#http.call('DELETE', `${roomPath(room)}/members/${encodeURIComponent(userId)}`);
  }

  /**
   * @param {string} room
   * @param {string} userId a member
   * @returns {Promise<RoomInfo>}
   */
  handOver(room, userId) {
    return this.#http.call('PATCH', roomPath(room), { body: { owner: userId } });
  }

  /**
   * The room of just these two.
   * @param {string} userId
   * @returns {Promise<RoomInfo>}
   */
  direct(userId) {
    return this.#http.call('PUT', `/direct/${encodeURIComponent(userId)}`, { body: {} });
  }

  /**
   * @param {string} room
   * @param {{before?: string | null, after?: string | null, limit?: number}} [page]
   * @returns {Promise<import('./shapes.js').HistoryPage>}
   */
  history(room, page = {}) {
    return this.#http.call('GET', `${roomPath(room)}/messages${query(page)}`);
  }

  /**
   * @param {{room: string, localId: string, body: string, data?: import('./shapes.js').Data | null}} message
   * @returns {Promise<Message>}
   */
  send({ room, localId, body, data }) {
    return this.#http.call('POST', `${roomPath(room)}/messages`, { body: { localId, body, ...(data ? { data } : {}) } });
  }

  /**
   * @param {string} id
   * @param {string} body
   * @returns {Promise<Message>}
   */
  edit(id, body) {
    return this.#http.call('PATCH', `/messages/${encodeURIComponent(id)}`, { body: { body } });
  }

  /**
   * @param {string} id
   * @returns {Promise<Message>}
   */
  withdraw(id) {
    return this.#http.call('DELETE', `/messages/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} id
   * @returns {Promise<Message>}
   */
  message(id) {
    return this.#http.call('GET', `/messages/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} cursor
   * @returns {Promise<void>}
   */
  ack(cursor) {
    return this.#http.call('POST', '/events/ack', { body: { cursor } });
  }

  /**
   * @param {string} room
   * @param {string} cursor
   * @returns {Promise<void>}
   */
  read(room, cursor) {
    return this.#http.call('POST', `${roomPath(room)}/read`, { body: { cursor } });
  }

  /**
   * @param {string} room
   * @param {boolean} typing
   * @returns {Promise<void>}
   */
  typing(room, typing) {
    return this.#http.call('POST', `${roomPath(room)}/typing`, { body: { typing } });
  }

  /**
   * @param {string} since
   * @param {number} waitSeconds
   * @param {AbortSignal} [signal]
   * @returns {Promise<import('./shapes.js').PollAnswer>}
   */
  poll(since, waitSeconds, signal) {
    const path = `/events/poll${query({ since, wait: waitSeconds })}`;
    return this.#http.call('GET', path, { signal, timeoutMs: waitSeconds * 1000 + POLL_GRACE_MS });
  }
}

/** @param {string} room */
function roomPath(room) {
  return `/rooms/${encodeURIComponent(room)}`;
}
