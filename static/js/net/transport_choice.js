// Stream or poll? Poll once a proxy has held streams back twice; try the stream again after a while.

/** @typedef {'stream' | 'poll'} Kind */

const MUTES_BEFORE_POLL = 2; // once may be chance
const REFUSALS_BEFORE_POLL = 2; // a poll sees the status that an EventSource hides
const STREAM_AGAIN_AFTER_MS = 600_000; // a proxy's habits do not change by the minute

export class Choice {
  /** @type {Kind} */
  kind;
  #forced;
  #clock;
  #tryStream;
  #mutes = 0;
  #refusals = 0;
  #pollFailed = false;
  /** @type {any} */ #timer = null;

  /**
   * @param {Kind | null} forced
   * @param {import('./clock.js').Clock} clock
   * @param {() => void} tryStream called when it is time to try the stream again
   * @param {Kind} [first] what another tab has found
   */
  constructor(forced, clock, tryStream, first = 'stream') {
    this.kind = forced ?? first;
    this.#forced = forced;
    this.#clock = clock;
    this.#tryStream = tryStream;
    if (first === 'poll') this.#use('poll');
  }

  /** A stream was silent when it should have said something. */
  mute() {
    this.#mutes += 1;
    if (this.#mutes >= MUTES_BEFORE_POLL) this.#use('poll');
  }

  /** A stream was refused although the session is valid. */
  refused() {
    this.#refusals += 1;
    if (this.#refusals >= REFUSALS_BEFORE_POLL) this.#use('poll');
  }

  /** A stream's later events prove that it gets through; its first ones do not. */
  flows() {
    this.#mutes = 0;
  }

  lost() {
    if (this.kind === 'poll') this.#pollFailed = true;
  }

  ready() {
    this.#refusals = 0;
    // Polls failed too, so it may have been the network and not a proxy.
    if (this.kind === 'poll' && this.#pollFailed) this.#probe();
    this.#pollFailed = false;
  }

  stop() {
    this.#clock.clearTimeout(this.#timer);
  }

  /** @param {Kind} kind */
  #use(kind) {
    if (this.#forced) return;
    this.kind = kind;
    this.#pollFailed = false;
    this.stop();
    if (kind === 'poll') this.#timer = this.#clock.setTimeout(() => this.#probe(), STREAM_AGAIN_AFTER_MS);
  }

  #probe() {
    if (this.#forced) return;
    this.#use('stream');
    this.#mutes = MUTES_BEFORE_POLL - 1; // one silence is enough to go back
    this.#tryStream();
  }
}
