// Long polling: the same events from the same cursor, as a chain of requests.

import { ApiError, FOREIGN_ANSWER, asApiError } from './api_error.js';

/** @typedef {import('./transport.js').Listener} Listener */

const HOLD_SECONDS = 25; // below the 30 s at which some proxies cut a silent request
const SHORTEST_HOLD_SECONDS = 5; // shorter holds would cost as many requests as polling without any
const CUTS_BEFORE_HALVING = 2; // one may be chance

/**
 * @typedef {object} PollParts
 * @property {(since: string, waitSeconds: number, signal: AbortSignal) => Promise<import('./shapes.js').PollAnswer>} poll
 * @property {import('./clock.js').Clock} clock
 */

/**
 * How long the server may hold a request. Something on the way may cut it earlier.
 * @typedef {{seconds: number, cuts: number}} Hold
 */

/**
 * @param {PollParts} parts
 * @returns {import('./transport.js').OpenTransport}
 */
export function pollTransport(parts) {
  /** @type {Hold} */
  const hold = { seconds: HOLD_SECONDS, cuts: 0 };
  return (since, listener) => {
    const abort = new AbortController();
    run(parts, hold, since, listener, abort.signal);
    return { close: () => abort.abort() };
  };
}

/**
 * @param {PollParts} parts
 * @param {Hold} hold
 * @param {string} since
 * @param {Listener} listener
 * @param {AbortSignal} signal
 */
async function run({ poll, clock }, hold, since, listener, signal) {
  let cursor = since;
  let waitSeconds = 0; // the first is answered at once, so that the page knows it is connected
  while (!signal.aborted) {
    const askedAtMs = clock.now();
    let answer;
    try {
      answer = await poll(cursor, waitSeconds, signal);
      if (!isOurs(answer)) throw new ApiError({ code: FOREIGN_ANSWER, retryable: true });
    } catch (error) {
      if (signal.aborted) return;
      noteCut(hold, (clock.now() - askedAtMs) / 1000);
      reportLoss(listener, asApiError(error));
      return;
    }
    if (signal.aborted) return;
    if (waitSeconds === 0) listener.event({ type: 'ready', cursor }, null);
    if (answer.events.length === 0 && waitSeconds > 0) hold.cuts = 0; // a full hold went through
    pass(answer, listener);
    cursor = answer.cursor;
    waitSeconds = hold.seconds;
  }
}

/**
 * A gateway may answer in the server's place, with 204 or with JSON of its own.
 * @param {import('./shapes.js').PollAnswer | undefined} answer
 */
function isOurs(answer) {
  return Array.isArray(answer?.events) && typeof answer.cursor === 'string';
}

/**
 * Halves the hold when held requests are cut repeatedly.
 * @param {Hold} hold
 * @param {number} heldSeconds
 */
function noteCut(hold, heldSeconds) {
  if (heldSeconds < SHORTEST_HOLD_SECONDS) return; // that was a refusal, not a cut
  hold.cuts += 1;
  if (hold.cuts < CUTS_BEFORE_HALVING) return;
  hold.cuts = 0;
  hold.seconds = Math.max(SHORTEST_HOLD_SECONDS, Math.floor(hold.seconds / 2));
}

/**
 * @param {import('./shapes.js').PollAnswer} answer
 * @param {Listener} listener
 */
function pass(answer, listener) {
  if (answer.reset) {
    listener.event({ type: 'reset', cursor: answer.cursor }, answer.cursor);
    return;
  }
  for (const event of answer.events) listener.event(event, event.cursor ?? null);
  // The poll's heartbeat: the cursor moves on even if no event came.
  listener.event({ type: 'heartbeat', cursor: answer.cursor }, answer.cursor);
}

/**
 * @param {Listener} listener
 * @param {import('./api_error.js').ApiError} error
 */
function reportLoss(listener, error) {
  if (error.signedOut) listener.dropped('signed_out', null);
  else if (error.code === 'invalid_cursor') listener.dropped('bad_cursor', null);
  else if (error.retryable) listener.dropped('lost', error.retryAfterMs);
  else listener.dropped('ended', error.retryAfterMs);
}
