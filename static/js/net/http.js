// One HTTP call of the contract: JSON in, JSON out, ApiError otherwise; each has an end.

import { ApiError, NO_ANSWER, TIMED_OUT, FOREIGN_ANSWER, errorFromAnswer } from './api_error.js';

const ANSWER_WITHIN_MS = 12_000; // the server answers every send within 10 s

/**
 * @typedef {object} Call
 * @property {unknown} [body]
 * @property {AbortSignal} [signal]
 * @property {number} [timeoutMs]
 */

export class Http {
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
      const answer = this.call('GET', path);
      answer.catch(() => {}); // whoever takes it hears of it
      this.#ahead.set(path, answer);
    }
  }

  /** What was asked for ahead was asked for as nobody, or as somebody else. */
  forgetAhead() {
    this.#ahead.clear();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  async call(method, path, call = {}) {
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

/** @param {Record<string, string | number | null | undefined>} fields */
export function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  if (!given.length) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
