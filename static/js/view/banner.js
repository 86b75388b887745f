// The banner above the messages and the word in the footer: is the page connected?

import { byId, setText } from './dom.js';

/** @typedef {import('../net/connection.js').ConnectionState} ConnectionState */

const QUIET_MS = 1_000; // nobody needs to know of shorter interruptions
const COUNTDOWN_AFTER_MS = 5_000;
const BACK_SHOWN_MS = 2_500;

export class Banner {
  #banner = byId('banner', HTMLDivElement);
  #text = byId('banner-text', HTMLSpanElement);
  #count = byId('banner-count', HTMLSpanElement);
  #tryNow = byId('banner-try', HTMLButtonElement);
  #status = byId('status', HTMLSpanElement);
  #statusText = byId('status-text', HTMLSpanElement);
  /** @type {ConnectionState | null} */
  #state = null;
  #backUntilMs = 0;
  /** @type {any} */
  #timer = null;
  #clock;

  /**
   * @param {import('../net/clock.js').Clock} clock
   * @param {() => void} tryNow
   */
  constructor(clock, tryNow) {
    this.#clock = clock;
    this.#tryNow.addEventListener('click', tryNow);
  }

  /** @param {ConnectionState} state */
  show(state) {
    const now = this.#clock.now();
    const wasShown = this.#state?.phase === 'lost' && !this.#banner.hidden;
    if (state.phase === 'live' && wasShown) this.#backUntilMs = now + BACK_SHOWN_MS;
    this.#state = state;
    this.#render();
  }

  #render() {
    this.#clock.clearTimeout(this.#timer);
    const state = this.#state;
    if (!state) return;
    const now = this.#clock.now();
    const lostForMs = state.phase === 'lost' && state.lostAtMs !== null ? now - state.lostAtMs : 0;
    this.#renderStatus(state, lostForMs);
    this.#renderBanner(state, lostForMs, now);
    const moving = state.phase === 'lost' || now < this.#backUntilMs;
    if (moving) this.#timer = this.#clock.setTimeout(() => this.#render(), 250);
  }

  /**
   * @param {ConnectionState} state
   * @param {number} lostForMs
   */
  #renderStatus(state, lostForMs) {
    const lost = state.phase === 'lost' && lostForMs >= QUIET_MS;
    const live = state.transport === 'poll' ? 'Live (polling)' : 'Live';
    const texts = { connecting: 'Connecting…', live, lost: lost ? 'Reconnecting…' : live, stopped: 'Not connected' };
    this.#status.dataset.phase = state.phase === 'lost' && !lost ? 'live' : state.phase;
    setText(this.#statusText, texts[state.phase]);
  }

  /**
   * @param {ConnectionState} state
   * @param {number} lostForMs
   * @param {number} now
   */
  #renderBanner(state, lostForMs, now) {
    const offline = lostForMs >= COUNTDOWN_AFTER_MS;
    let text = '';
    if (offline) text = 'You’re offline. Messages will be sent when you reconnect.';
    else if (lostForMs >= QUIET_MS) text = 'Connection lost. Reconnecting…';
    else if (state.phase === 'live' && now < this.#backUntilMs) text = 'Back online';
    this.#banner.hidden = !text;
    this.#banner.dataset.kind = state.phase === 'live' ? 'back' : 'lost';
    setText(this.#text, text);
    setText(this.#count, offline ? countdown(state.retryAtMs, now) : '');
    this.#tryNow.hidden = !offline;
  }
}

/**
 * @param {number | null} retryAtMs
 * @param {number} now
 */
function countdown(retryAtMs, now) {
  const seconds = retryAtMs === null ? 0 : Math.ceil((retryAtMs - now) / 1000);
  return seconds > 0 ? `Retrying in ${seconds} s` : 'Retrying now…';
}
