// What waits to be sent: the count in the footer, the rate limit's pause, and the bar for failures.

import { byId, setText } from './dom.js';

/** @typedef {import('../outbox/outbox.js').Outbox} Outbox */

const UNANSWERED_MS = 5_000; // whatever the connection says: something is wrong
const BAR_FROM = 3; // fewer failures are handled at the messages themselves

export class QueueView {
  #queue = byId('queue', HTMLSpanElement);
  #bar = byId('failed-bar', HTMLDivElement);
  #text = byId('failed-text', HTMLSpanElement);
  /** @type {any} */
  #timer = null;
  #clock;

  /**
   * @param {import('../net/clock.js').Clock} clock
   * @param {{retryAll: () => void, deleteAll: () => void}} on
   */
  constructor(clock, on) {
    this.#clock = clock;
    byId('retry-all', HTMLButtonElement).addEventListener('click', on.retryAll);
    byId('delete-all', HTMLButtonElement).addEventListener('click', on.deleteAll);
  }

  /**
   * @param {Outbox | null} outbox
   * @param {boolean} live
   */
  show(outbox, live) {
    this.#clock.clearTimeout(this.#timer);
    if (!outbox) return this.#hide();
    const pauseSeconds = Math.ceil((outbox.pausedUntilMs - this.#clock.now()) / 1000);
    const pending = outbox.pending.length;
    const leftMs = UNANSWERED_MS - outbox.waitingMs;
    setText(this.#queue, queueText(pending, pauseSeconds, live && leftMs > 0));
    const failed = outbox.failed.length;
    this.#bar.hidden = failed < BAR_FROM;
    setText(this.#text, failed < BAR_FROM ? '' : `${failed} messages not sent`);
    if (!pending) return;
    if (pauseSeconds > 0) this.#timer = this.#clock.setTimeout(() => this.show(outbox, live), 500);
    else if (leftMs > 0) this.#timer = this.#clock.setTimeout(() => this.show(outbox, live), leftMs);
  }

  #hide() {
    setText(this.#queue, '');
    this.#bar.hidden = true;
  }
}

/**
 * @param {number} pending
 * @param {number} pauseSeconds
 * @param {boolean} well whether nothing says otherwise
 */
function queueText(pending, pauseSeconds, well) {
  if (!pending) return '';
  if (pauseSeconds > 0) return `You’re sending too fast – resuming in ${pauseSeconds} s`;
  // While connected, one or two in flight are normal.
  return well && pending < 3 ? '' : `${pending} waiting to be sent`;
}
