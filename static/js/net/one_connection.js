// One connection for all tabs of a user: the leading tab holds it and passes on what it hears.
// A tab whose leader is closed or frozen leads itself, from the place that it has reached.

import { asApiError } from './api_error.js';
import { backoffMs } from './backoff.js';
import { Connection } from './connection.js';
import { compareCursors } from './cursor.js';

/**
 * @typedef {import('./connection.js').ConnectionState} ConnectionState
 * @typedef {import('./shapes.js').ChatEvent} ChatEvent
 */

/**
 * What the leader says. `number` counts its events, so that whoever has missed one notices.
 * @typedef {object} Said
 * @property {'alive' | 'event' | 'reset' | 'reopened' | 'signed_out'} kind
 * @property {string} leader
 * @property {number} term since when it leads, by the computer's clock
 * @property {number} number
 * @property {string} cursor
 * @property {ConnectionState} state with times that lie in the past and the future of this very moment
 * @property {ChatEvent} [event]
 */

const ALIVE_MS = 500;
const SILENT_MS = 1_500; // three signs of life: with a new connection it is two seconds
const MOST_PAGES = 1_000; // of what came before this tab listened

export class OneConnection {
  leads = false;
  /** @type {ConnectionState} */
  #state = { phase: 'stopped', transport: 'stream', lostAtMs: null, retryAtMs: null };
  /** @type {Connection | null} */ #own = null;
  #cursor = '';
  #number = 0;
  #term = 0;
  /** Whom this tab follows, and up to which of its events. */
  #followed = { leader: '', number: -1 };
  /** What came while this tab catches up; null when it does not. @type {Said[] | null} */
  #waiting = null;
  #round = 0; // of catching up: what an older one still brings is ignored
  #attempt = 0;
  #heardAtMs = 0;
  /** @type {any} */ #timer = null;
  #parts;

  /**
   * @param {object} parts
   * @param {string} parts.me which tab this is
   * @param {import('./tabs.js').Tabs} parts.tabs
   * @param {() => boolean} parts.visible
   * @param {(cursor: string) => Promise<import('./shapes.js').PollAnswer>} parts.catchUp a poll that does not wait
   * @param {ConstructorParameters<typeof Connection>[0]} parts.connection what a connection of its own takes
   */
  constructor(parts) {
    this.#parts = parts;
  }

  get state() {
    return this.#state;
  }

  get cursor() {
    return this.#own?.cursor ?? this.#cursor;
  }

  /** @param {string} cursor */
  start(cursor) {
    this.#cursor = cursor;
    this.#parts.tabs.listen((said) => this.#hear(said));
    this.#show({ ...this.#state, phase: 'connecting' });
    this.#follow();
    this.#stand(false);
  }

  stop() {
    this.#parts.tabs.leave();
    this.#stepDown();
    this.#clock.clearTimeout(this.#timer);
    this.#show({ phase: 'stopped', transport: this.#state.transport, lostAtMs: null, retryAtMs: null });
  }

  tryNow() {
    this.#either((own) => own.tryNow(), 'try');
  }

  serverAnswers() {
    this.#either((own) => own.serverAnswers(), 'answers');
  }

  /** The tab is visible again, perhaps after hours of sleep. */
  wake() {
    this.#heardAtMs = this.#clock.now();
    this.#either((own) => own.wake(), 'wake');
  }

  get #clock() {
    return this.#parts.connection.clock;
  }

  /**
   * @param {(own: Connection) => void} act
   * @param {string} ask
   */
  #either(act, ask) {
    if (this.#own) act(this.#own);
    else this.#parts.tabs.say({ ask });
  }

  /** @param {boolean} steal */
  #stand(steal) {
    this.#parts.tabs.lead(() => this.#lead(), () => this.#stolen(), steal);
  }

  #lead() {
    if (this.#state.phase === 'stopped') return this.#parts.tabs.leave();
    this.leads = true;
    this.#round += 1;
    this.#waiting = null;
    this.#term = this.#clock.date();
    const { on } = this.#parts.connection;
    this.#own = new Connection({
      ...this.#parts.connection,
      first: this.#state.transport,
      on: {
        ...on,
        event: (event) => {
          this.#number += 1;
          this.#say('event', event);
          on.event(event);
        },
        state: (state) => {
          if (!this.leads || state.phase === 'stopped') return; // it ends, and this tab says so or follows
          this.#show(state);
          this.#say('alive');
        },
        reset: () => {
          this.#say('reset');
          return on.reset();
        },
        reopened: () => {
          this.#say('reopened');
          on.reopened();
        },
        signedOut: () => {
          this.#say('signed_out');
          on.signedOut();
        },
      },
    });
    this.#own.start(this.#cursor);
    this.#live();
  }

  #live() {
    this.#clock.clearTimeout(this.#timer);
    if (!this.leads) return;
    this.#say('alive');
    this.#timer = this.#clock.setTimeout(() => this.#live(), ALIVE_MS);
  }

  /** Another tab leads now. */
  #stolen() {
    if (this.#state.phase === 'stopped') return;
    this.#stepDown();
    this.#parts.tabs.release();
    this.#follow();
    this.#stand(false);
  }

  #stepDown() {
    const own = this.#own;
    this.#cursor = this.cursor;
    this.leads = false;
    this.#own = null;
    own?.stop();
  }

  #follow() {
    this.#followed = { leader: '', number: -1 };
    this.#heardAtMs = this.#clock.now();
    this.#parts.tabs.say({ ask: 'hello' });
    this.#watch();
  }

  /** A visible tab does not wait for a leader that is frozen. */
  #watch() {
    this.#clock.clearTimeout(this.#timer);
    if (this.leads || this.#state.phase === 'stopped') return;
    if (this.#parts.visible() && this.#clock.now() - this.#heardAtMs > SILENT_MS) return this.#stand(true);
    this.#timer = this.#clock.setTimeout(() => this.#watch(), ALIVE_MS);
  }

  /** @param {Said & {ask?: string}} said */
  #hear(said) {
    if (this.#state.phase === 'stopped') return;
    if (said.kind === 'signed_out') return this.#parts.connection.on.signedOut();
    if (this.#own) return this.#answer(this.#own, said);
    if (said.ask) return;
    this.#heardAtMs = this.#clock.now();
    if (said.kind === 'reopened') return this.#parts.connection.on.reopened();
    if (said.kind === 'reset') return void this.#catchUp(said, true);
    this.#take(said);
  }

  /**
   * @param {Connection} own
   * @param {Said & {ask?: string}} said
   */
  #answer(own, { ask, term }) {
    // Another leads, too, and since later: locks are not told of in the same order everywhere.
    if (!ask && term > this.#term) return this.#stolen();
    if (ask === 'hello') this.#say('alive');
    else if (ask === 'try') own.tryNow();
    else if (ask === 'answers') own.serverAnswers();
    else if (ask === 'wake') own.wake();
  }

  /** @param {Said} said */
  #take(said) {
    if (this.#waiting) {
      if (said.state.phase !== 'live') this.#show(moved(said.state, this.#clock.now()));
      // Of signs of life the newest is enough.
      if (said.kind === 'alive' && this.#waiting.at(-1)?.kind === 'alive') this.#waiting.pop();
      return void this.#waiting.push(said);
    }
    const { leader, number } = this.#followed;
    const next = said.kind === 'event' ? number + 1 : number;
    if (said.leader !== leader || said.number !== next) return void this.#catchUp(said);
    this.#followed.number = said.number;
    if (said.event) this.#pass(said.event);
    // It has said all that lies before this.
    if (said.kind === 'alive' && compareCursors(said.cursor, this.#cursor) > 0) this.#cursor = said.cursor;
    this.#show(moved(said.state, this.#clock.now()));
  }

  /** @param {ChatEvent} event */
  #pass(event) {
    const cursor = event.cursor ?? null;
    if (cursor && compareCursors(cursor, this.#cursor) <= 0) return; // it came by the way of catching up
    if (cursor) this.#cursor = cursor;
    try {
      this.#parts.connection.on.event(event);
    } catch (error) {
      console.error('event not applied', event, error);
    }
  }

  /**
   * Something was said before this tab listened, or while it slept.
   * @param {Said} said up to where, at least
   * @param {boolean} [anew] the log begins anew: what lies ahead of it says nothing
   */
  async #catchUp(said, anew = false) {
    this.#waiting = [said];
    const round = (this.#round += 1);
    const over = () => round !== this.#round || this.#state.phase === 'stopped';
    try {
      if (anew) this.#cursor = await this.#parts.connection.on.reset();
      for (let page = 0; page < MOST_PAGES; page += 1) {
        if (over()) return;
        const answer = await this.#parts.catchUp(this.#cursor);
        if (over()) return;
        if (answer.reset) return void this.#catchUp(said, true);
        for (const event of answer.events) this.#pass(event);
        if (compareCursors(answer.cursor, this.#cursor) > 0) this.#cursor = answer.cursor;
        if (answer.more) continue;
        if (!anew && compareCursors(this.#cursor, said.cursor) < 0) throw new Error('this server is behind the leader');
        return this.#goOn();
      }
      throw new Error('too much to catch up');
    } catch (error) {
      if (over()) return;
      const delayMs = Math.max(backoffMs(this.#attempt, this.#parts.connection.random), asApiError(error).retryAfterMs ?? 0);
      this.#attempt += 1;
      this.#clock.setTimeout(() => over() || this.#catchUp(this.#waiting?.at(-1) ?? said, anew), delayMs);
    }
  }

  /** Nothing is missing up to the first that waited. */
  #goOn() {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    this.#attempt = 0;
    const { leader, number, kind } = waiting[0];
    this.#followed = { leader, number: kind === 'event' ? number - 1 : number };
    for (const said of waiting) this.#take(said);
  }

  /**
   * @param {Said['kind']} kind
   * @param {ChatEvent} [event]
   */
  #say(kind, event) {
    const state = moved(this.#own?.state ?? this.#state, -this.#clock.now());
    const said = { kind, leader: this.#parts.me, term: this.#term, number: this.#number, cursor: this.cursor, state, event };
    this.#parts.tabs.say(said);
  }

  /** @param {ConnectionState} state */
  #show(state) {
    this.#state = state;
    this.#parts.connection.on.state(state);
  }
}

/**
 * Each tab counts its time from its own beginning.
 * @param {ConnectionState} state
 * @param {number} byMs
 */
function moved({ phase, transport, lostAtMs, retryAtMs }, byMs) {
  const move = (/** @type {number | null} */ atMs) => (atMs === null ? null : atMs + byMs);
  return { phase, transport, lostAtMs: move(lostAtMs), retryAtMs: move(retryAtMs) };
}
