// Keeps the page connected: owns the cursor, opens the chosen transport, notices silence, tries again.
// No DOM and no globals: transports, clock and randomness are handed in.

import { backoffMs } from './backoff.js';
import { Choice } from './transport_choice.js';

/**
 * @typedef {import('./transport.js').OpenTransport} OpenTransport
 * @typedef {import('./transport.js').Loss} Loss
 * @typedef {import('./shapes.js').ChatEvent} ChatEvent
 */

/**
 * @typedef {object} ConnectionState
 * @property {'connecting' | 'live' | 'lost' | 'stopped'} phase
 * @property {import('./transport_choice.js').Kind} transport
 * @property {number | null} lostAtMs since when nothing has come
 * @property {number | null} retryAtMs when the next try begins, null while one is under way
 */

/**
 * @typedef {object} Callbacks
 * @property {(event: ChatEvent) => void} [ready] names the user the connection belongs to
 * @property {(event: ChatEvent) => void} event
 * @property {(state: ConnectionState) => void} state
 * @property {() => Promise<string>} reset load everything again; resolves to the cursor taken before loading
 * @property {() => void} signedOut
 * @property {() => void} reopened the stream was refused although the session is valid: load the rooms again
 */

const READY_WITHIN_MS = 5_000; // the server sends `ready` at once; a proxy that buffers holds it back
const SILENCE_MS = 40_000; // more than two heartbeats of 15 s missed
const DEFAULT_REOPEN_MS = 3_000; // Chromium's own delay, where `closing` names none
const STEADY_AFTER_MS = 5_000; // a connection that lived this long was a success
const STALE_AFTER_MS = 30_000; // two heartbeats, which a tab that slept has certainly missed

export class Connection {
  /** @type {import('./transport.js').Handle | null} */
  #handle = null;
  /** @type {ConnectionState} */
  #state = { phase: 'stopped', transport: 'stream', lostAtMs: null, retryAtMs: null };
  #cursor = '';
  #generation = 0; // whatever an older transport still says is ignored
  #attempt = 0;
  #waitWasAsked = false;
  #liveSinceMs = 0;
  #heardAtMs = 0;
  #heardAtDate = 0;
  /** @type {any} */ #watchdog = null;
  /** @type {any} */ #retry = null;
  #choice;
  #parts;

  /**
   * @param {object} parts
   * @param {Record<import('./transport_choice.js').Kind, OpenTransport>} parts.open
   * @param {import('./transport_choice.js').Kind | null} [parts.forced]
   * @param {import('./transport_choice.js').Kind} [parts.first] what another tab has found to get through
   * @param {() => Promise<boolean>} parts.sessionStands throws when there is no answer
   * @param {import('./clock.js').Clock} parts.clock
   * @param {() => number} parts.random
   * @param {Callbacks} parts.on
   */
  constructor(parts) {
    this.#parts = parts;
    this.#choice = new Choice(parts.forced ?? null, parts.clock, () => this.#open(), parts.first);
  }

  /** A tab alone follows nobody. */
  get leads() {
    return true;
  }

  get state() {
    return this.#state;
  }

  get cursor() {
    return this.#cursor;
  }

  /** @param {string} cursor */
  start(cursor) {
    this.#cursor = cursor;
    this.#setState({ phase: 'connecting' });
    this.#open();
  }

  stop() {
    this.#close();
    this.#choice.stop();
    this.#setState({ phase: 'stopped', lostAtMs: null, retryAtMs: null });
  }

  /** Someone asks for a try at once. */
  tryNow() {
    if (this.#state.phase !== 'lost') return;
    this.#attempt = 0;
    this.#open();
  }

  /** Another request was answered: no need to wait for the timer, unless the server asked for the wait. */
  serverAnswers() {
    if (this.#retry !== null && !this.#waitWasAsked) this.tryNow();
  }

  /** The tab is visible again or the network is back, perhaps after hours of sleep. */
  wake() {
    const { clock } = this.#parts;
    // While the machine sleeps some browsers' own time stands still, and only the computer's clock goes on.
    const silentMs = Math.max(clock.now() - this.#heardAtMs, clock.date() - this.#heardAtDate);
    if (this.#state.phase === 'lost') this.tryNow();
    else if (this.#state.phase !== 'stopped' && silentMs >= STALE_AFTER_MS) {
      this.#markLost();
      this.#open();
    }
  }

  #open() {
    this.#close();
    const generation = this.#generation;
    const transport = this.#choice.kind;
    this.#setState({ transport, retryAtMs: null });
    this.#heard();
    if (transport === 'stream') this.#watch(READY_WITHIN_MS);
    this.#handle = this.#parts.open[transport](this.#cursor, {
      event: (event, cursor) => generation === this.#generation && this.#hear(event, cursor),
      dropped: (loss, retryAfterMs) => generation === this.#generation && this.#dropped(loss, retryAfterMs),
    });
  }

  #heard() {
    this.#heardAtMs = this.#parts.clock.now();
    this.#heardAtDate = this.#parts.clock.date();
  }

  #close() {
    this.#generation += 1;
    this.#watchdog = this.#cancel(this.#watchdog);
    this.#retry = this.#cancel(this.#retry);
    this.#handle?.close();
    this.#handle = null;
  }

  /**
   * @param {ChatEvent} event
   * @param {string | null} cursor
   */
  #hear(event, cursor) {
    this.#heard();
    if (this.#state.transport === 'stream') this.#watch(SILENCE_MS);
    if (event.type === 'ready') this.#ready(event);
    else if (event.type === 'heartbeat') this.#choice.flows();
    else if (event.type === 'closing') this.#closing(event);
    else if (event.type === 'reset') this.#reset();
    else this.#pass(event);
    const next = event.type === 'reset' ? event.cursor ?? cursor : cursor;
    if (next) this.#cursor = next;
  }

  /** @param {ChatEvent} event */
  #ready(event) {
    this.#parts.on.ready?.(event);
    this.#liveSinceMs = this.#parts.clock.now();
    this.#setState({ phase: 'live', lostAtMs: null, retryAtMs: null });
    this.#choice.ready();
  }

  /**
   * One event that this page cannot apply must not stop the rest.
   * @param {ChatEvent} event
   */
  #pass(event) {
    try {
      this.#parts.on.event(event);
    } catch (error) {
      console.error('event not applied', event, error);
    }
  }

  /** @param {ChatEvent} event */
  #closing({ reason, retryAfterMs }) {
    if (reason === 'signed_out' || reason === 'expired') {
      this.#askSession();
      return;
    }
    // The browser waits and reconnects by itself. That is routine, unless the server had to turn us away.
    const reopenMs = retryAfterMs ?? DEFAULT_REOPEN_MS;
    this.#watch(reopenMs + READY_WITHIN_MS);
    if (reason === 'rotate') this.#choice.flows();
    if (reason === 'rotate' || reason === 'shutdown') return;
    this.#markLost();
    this.#setState({ retryAtMs: this.#parts.clock.now() + reopenMs });
  }

  #reset() {
    this.#parts.on.reset().catch((error) => console.error('reload failed', error));
  }

  /**
   * @param {Loss} loss
   * @param {number | null} retryAfterMs
   */
  #dropped(loss, retryAfterMs) {
    if (loss === 'signed_out') return this.#signedOut();
    if (loss === 'bad_cursor') return this.#startOver();
    if (loss === 'ended') return this.#askSession();
    this.#choice.lost();
    this.#tryLater(retryAfterMs);
  }

  /** The server cannot continue from this cursor: reload, and go on from where the reload began. */
  async #startOver() {
    this.#close();
    this.#markLost();
    const generation = this.#generation;
    const cursor = await this.#parts.on.reset().catch(() => null);
    if (generation !== this.#generation) return;
    if (cursor) this.#cursor = cursor;
    this.#tryLater(null);
  }

  async #askSession() {
    this.#close();
    this.#markLost();
    const generation = this.#generation;
    const stands = await this.#parts.sessionStands().catch(() => null);
    if (generation !== this.#generation) return;
    if (stands === false) return this.#signedOut();
    if (stands) {
      this.#choice.refused();
      this.#parts.on.reopened();
    }
    this.#tryLater(null);
  }

  #signedOut() {
    this.stop();
    this.#parts.on.signedOut();
  }

  /** @param {number | null} leastMs what the server asked for */
  #tryLater(leastMs) {
    this.#close();
    this.#markLost();
    const delayMs = Math.max(backoffMs(this.#attempt, this.#parts.random), leastMs ?? 0);
    this.#attempt += 1;
    this.#waitWasAsked = leastMs !== null;
    this.#setState({ retryAtMs: this.#parts.clock.now() + delayMs });
    this.#retry = this.#parts.clock.setTimeout(() => this.#open(), delayMs);
  }

  /** @param {number} delayMs */
  #watch(delayMs) {
    this.#cancel(this.#watchdog);
    const { clock } = this.#parts;
    const dueMs = clock.now() + delayMs;
    const dueDate = clock.date() + delayMs;
    this.#watchdog = clock.setTimeout(() => this.#mute(Math.max(clock.now() - dueMs, clock.date() - dueDate)), delayMs);
  }

  /** @param {number} lateMs */
  #mute(lateMs) {
    // A timer that fires late slept with the machine, which says nothing about proxies.
    const slept = lateMs > READY_WITHIN_MS;
    if (!slept) this.#choice.mute();
    this.#markLost();
    this.#open();
  }

  #markLost() {
    const { phase } = this.#state;
    if (phase === 'lost') return;
    const now = this.#parts.clock.now();
    if (phase === 'live' && now - this.#liveSinceMs >= STEADY_AFTER_MS) this.#attempt = 0;
    this.#setState({ phase: 'lost', lostAtMs: now });
  }

  /** @param {any} timer */
  #cancel(timer) {
    if (timer !== null) this.#parts.clock.clearTimeout(timer);
    return null;
  }

  /** @param {Partial<ConnectionState>} change */
  #setState(change) {
    this.#state = { ...this.#state, ...change };
    this.#parts.on.state(this.#state);
  }
}
