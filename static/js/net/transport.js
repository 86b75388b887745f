// What stream.js and poll.js have in common, for the type checker only.

/** @typedef {import('./shapes.js').ChatEvent} ChatEvent */

/**
 * Why a transport gave up. After any of these it is closed and says nothing more.
 * - lost: no answer, a cut connection, an overloaded server
 * - ended: refused for good; a stream cannot see why, so ask the session
 * - signed_out: the session is over
 * - bad_cursor: the server cannot continue from this cursor
 * @typedef {'lost' | 'ended' | 'signed_out' | 'bad_cursor'} Loss
 */

/**
 * @typedef {object} Listener
 * @property {(event: ChatEvent, cursor: string | null) => void} event the cursor is where to continue after this event
 * @property {(loss: Loss, retryAfterMs: number | null) => void} dropped
 */

/** @typedef {{close: () => void}} Handle */

/** @typedef {(since: string, listener: Listener) => Handle} OpenTransport */

export {};
