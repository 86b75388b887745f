import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../static/js/net/api_error.js';
import { OneConnection } from '../../static/js/net/one_connection.js';
import { FakeClock, settle } from './fake_clock.js';

/** One browser: its lock, and a channel between its tabs. */
class Browser {
  clock = new FakeClock();
  /** What the server has said, by cursor. @type {{cursor: string, text: string}[]} */
  log = [];
  /** @type {Tab[]} */ tabs = [];
  /** @type {{tab: Tab, won: () => void, lost: () => void}[]} */ line = [];

  /** @param {string} text */
  say(text) {
    const event = { type: 'message.created', cursor: `1000-${this.log.length + 1}`, text };
    this.log.push(event);
    for (const tab of this.tabs) tab.deliver();
  }

  /** What has been said has been heard. */
  async pass(ms = 0) {
    await this.clock.pass(ms);
    await settle();
  }

  get streams() {
    return this.tabs.filter((tab) => tab.stream).length;
  }

  /** @param {string} [cursor] */
  async open(cursor = '1000-0') {
    const tab = new Tab(this, cursor);
    this.tabs.push(tab);
    tab.connection.start(cursor);
    await this.pass();
    return tab;
  }
}

class Tab {
  /** @type {string[]} */ heard = [];
  /** @type {(message: any) => void} */ hear = () => {};
  visible = true;
  frozen = false;
  /** What came while it is frozen. @type {any[]} */ missed = [];
  resets = 0;
  signedOut = 0;
  /** How many of the next polls fail. */
  failures = 0;
  /** @type {{since: string, listener: import('../../static/js/net/transport.js').Listener} | null} */ stream = null;
  polls = 0;

  /** @param {Browser} browser @param {string} cursor */
  constructor(browser, cursor) {
    this.browser = browser;
    this.me = `tab-${browser.tabs.length}`;
    const { clock } = browser;
    this.connection = new OneConnection({
      me: this.me,
      visible: () => this.visible,
      tabs: this.#tabs(),
      catchUp: async (since) => {
        this.polls += 1;
        if (this.failures-- > 0) throw new ApiError({ code: 'network', retryable: true });
        const events = browser.log.filter((event) => Number(event.cursor.slice(5)) > Number(since.slice(5))).slice(0, 2);
        const left = browser.log.length - Number((events.at(-1)?.cursor ?? since).slice(5));
        return /** @type {any} */ ({ events, cursor: events.at(-1)?.cursor ?? since, more: left > 0, reset: false });
      },
      connection: {
        clock,
        random: () => 0.5,
        sessionStands: async () => true,
        open: { stream: (since, listener) => this.#open(since, listener), poll: () => ({ close: () => {} }) },
        on: {
          event: (event) => void this.heard.push(/** @type {any} */ (event).text),
          state: () => {},
          reset: async () => { this.resets += 1; return '1000-0'; },
          signedOut: () => {
            this.signedOut += 1;
            this.close();
          },
          reopened: () => {},
        },
      },
    });
    this.cursor = cursor;
  }

  /** @returns {import('../../static/js/net/tabs.js').Tabs} */
  #tabs() {
    const { browser } = this;
    return {
      lead: (won, lost, steal) => {
        const one = { tab: this, won, lost };
        if (steal) {
          const [before] = browser.line.splice(0, 1, one);
          won();
          if (before && before.tab !== this) before.tab.run(before.lost);
        } else {
          browser.line.push(one);
          if (browser.line.length === 1) won();
        }
      },
      say: (message) => {
        const copy = structuredClone(message);
        this.run(() => void setImmediate(() => browser.tabs.filter((tab) => tab !== this).forEach((tab) => tab.run(() => tab.hear(copy)))));
      },
      listen: (hear) => { this.hear = hear; },
      release: () => this.#release(),
      leave: () => {
        this.browser.tabs = this.browser.tabs.filter((tab) => tab !== this);
        this.#release();
      },
    };
  }

  #release() {
    const led = this.browser.line[0]?.tab === this;
    this.browser.line = this.browser.line.filter(({ tab }) => tab !== this);
    if (led) this.browser.line[0]?.won();
  }

  /** @param {() => void} act */
  run(act) {
    if (this.frozen) this.missed.push(act);
    else act();
  }

  thaw() {
    this.frozen = false;
    for (const act of this.missed.splice(0)) act();
  }

  /** @param {string} since @param {import('../../static/js/net/transport.js').Listener} listener */
  #open(since, listener) {
    const stream = { since, listener };
    this.stream = stream;
    setImmediate(() => {
      listener.event({ type: 'ready', cursor: since }, null);
      this.deliver();
    });
    return { close: () => { if (this.stream === stream) this.stream = null; } };
  }

  /** Gives the stream what lies behind its place. */
  deliver() {
    if (!this.stream || this.frozen) return;
    for (const event of this.browser.log) {
      if (Number(event.cursor.slice(5)) <= Number(this.stream.since.slice(5))) continue;
      this.stream.since = event.cursor;
      this.stream.listener.event(/** @type {any} */ (event), event.cursor);
    }
  }

  close() {
    this.connection.stop();
    this.stream = null;
  }
}

test('six tabs hold one stream, and all hear everything once', async () => {
  const browser = new Browser();
  for (let count = 0; count < 6; count += 1) await browser.open();
  browser.say('one');
  browser.say('two');
  await browser.pass();
  assert.equal(browser.streams, 1);
  for (const tab of browser.tabs) {
    assert.deepEqual(tab.heard, ['one', 'two']);
    assert.equal(tab.connection.state.phase, 'live');
  }
});

test('a tab that comes later catches up from its own place', async () => {
  const browser = new Browser();
  await browser.open();
  for (const text of ['one', 'two', 'three', 'four', 'five']) browser.say(text);
  await browser.pass();
  const late = await browser.open('1000-1');
  browser.say('six');
  await browser.pass(600);
  assert.deepEqual(late.heard, ['two', 'three', 'four', 'five', 'six']);
});

test('the leader is closed: another goes on at once, from where it is', async () => {
  const browser = new Browser();
  const [leader, next] = [await browser.open(), await browser.open()];
  browser.say('one');
  await browser.pass();
  leader.close();
  browser.say('two');
  await browser.pass();
  assert.deepEqual([browser.streams, next.connection.leads, next.heard], [1, true, ['one', 'two']]);
});

test('the leader is frozen: a visible tab takes over within two seconds, and both hear all', async () => {
  const browser = new Browser();
  const [leader, next] = [await browser.open(), await browser.open()];
  browser.say('one');
  await browser.pass();
  leader.frozen = true;
  browser.say('two');
  // Its own timers stand still, too.
  for (let passed = 0; passed < 2000; passed += 100) await browser.pass(100);
  assert.deepEqual([next.connection.leads, next.heard], [true, ['one', 'two']]);
  leader.thaw();
  browser.say('three');
  await browser.pass(600);
  assert.deepEqual([leader.connection.leads, browser.streams], [false, 1]);
  assert.deepEqual([leader.heard, next.heard], [['one', 'two', 'three'], ['one', 'two', 'three']]);
});

test('a hidden tab leaves the leader alone', async () => {
  const browser = new Browser();
  const [leader, hidden] = [await browser.open(), await browser.open()];
  hidden.visible = false;
  leader.frozen = true;
  await browser.pass(10_000);
  assert.equal(hidden.connection.leads, false);
});

test('a tab that was frozen itself notices what it missed', async () => {
  const browser = new Browser();
  const [, sleeper] = [await browser.open(), await browser.open()];
  browser.say('one');
  await browser.pass(600);
  // What is said to a page in the browser's back-forward cache is gone.
  const { hear } = sleeper;
  sleeper.hear = () => {};
  browser.say('two');
  browser.say('three');
  await browser.pass();
  sleeper.hear = hear;
  sleeper.connection.wake();
  await browser.pass(600);
  assert.deepEqual(sleeper.heard, ['one', 'two', 'three']);
});

test('what the leader says of an outage is said in each tab, by its own time', async () => {
  const browser = new Browser();
  const [leader, other] = [await browser.open(), await browser.open()];
  leader.stream?.listener.dropped('lost', 8000);
  await browser.pass();
  const { phase, retryAtMs } = other.connection.state;
  assert.deepEqual([phase, retryAtMs], ['lost', leader.connection.state.retryAtMs]);
  other.connection.tryNow();
  await browser.pass();
  assert.equal(leader.connection.state.phase, 'live');
});

test('the log begins anew: every tab loads again', async () => {
  const browser = new Browser();
  const [leader, other] = [await browser.open(), await browser.open()];
  leader.stream?.listener.event(/** @type {any} */ ({ type: 'reset', cursor: '1000-0' }), '1000-0');
  await browser.pass();
  assert.deepEqual([leader.resets, other.resets], [1, 1]);
});

test('the session ends: every tab is told so', async () => {
  const browser = new Browser();
  const tabs = [await browser.open(), await browser.open(), await browser.open()];
  tabs[0].stream?.listener.dropped('signed_out', null);
  await browser.pass(600);
  assert.deepEqual(tabs.map(({ signedOut }) => signedOut), [1, 1, 1]);
  assert.equal(browser.streams, 0);
});

test('catching up that fails is tried again, less and less often, and shows how things stand', async () => {
  const browser = new Browser();
  const leader = await browser.open();
  browser.say('one');
  await browser.pass();
  const late = new Tab(browser, '1000-0');
  browser.tabs.push(late);
  late.failures = 6;
  late.connection.start('1000-0');
  await browser.pass(10_000);
  assert.ok(late.polls <= 6, `${late.polls} polls in ten seconds`);
  leader.stream?.listener.dropped('lost', 60_000);
  await browser.pass();
  assert.equal(late.connection.state.phase, 'lost');
  leader.connection.tryNow();
  await browser.pass(10_000);
  assert.deepEqual([late.heard, late.connection.state.phase], [['one'], 'live']);
});

test('the log begins anew further back: what comes then is heard', async () => {
  const browser = new Browser();
  const [leader, other] = [await browser.open('1000-50'), await browser.open('1000-50')];
  leader.stream?.listener.event(/** @type {any} */ ({ type: 'reset', cursor: '1000-0' }), '1000-0');
  if (leader.stream) leader.stream.since = '1000-0';
  await browser.pass(600);
  browser.say('one');
  await browser.pass(600);
  assert.deepEqual([leader.heard, other.heard], [['one'], ['one']]);
});

test('of two that lead, the earlier gives in', async () => {
  const browser = new Browser();
  const [first, second] = [await browser.open(), await browser.open()];
  await browser.pass(100);
  browser.line[1].won(); // told of the lock though it was stolen meanwhile
  await browser.pass(600);
  assert.deepEqual([first.connection.leads, second.connection.leads, browser.streams], [false, true, 1]);
});
