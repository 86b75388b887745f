// The page's main path in Firefox: `node firefox.mjs <address> <firefox>`, with test_firefox.py at the other end.
// Asks for an outage by a line "cut" or "restore" and goes on at the next line that it is given.
// Ends with 0, or with 1 and a sentence that names the step and what did not come true.

import { createInterface } from 'node:readline';

import puppeteer from 'puppeteer-core';

const PATIENCE_MS = 15_000; // two cores shared with other work
const LOOK_MS = 50;
const TABS = 6; // as many as the connections that a browser has to one server

const [address, executablePath] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Someone with cookies and storage of their own; `page` is the tab that they look at. */
class Person {
  constructor(context, name) {
    this.context = context;
    this.name = name;
    this.streaming = new Set(); // the tabs that have asked for a stream
    this.complaints = [];
  }

  async newTab() {
    const page = await this.context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('request', (request) => { if (request.url().includes('/events/stream')) this.streaming.add(page); });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    await page.goto(address);
    return page;
  }

  async signIn() {
    this.page = await this.newTab();
    await this.until('sees the door', visible, '#sign-in-name');
    await fill(this.page, '#sign-in-name', this.name);
    await this.page.click('#sign-in-form [type=submit]');
    await this.reads('Live');
  }

  /** What the page says of its connection. */
  reads(text, page = this.page) {
    return this.until(`reads "${text}"`, (wanted) => document.querySelector('#status-text').textContent === wanted, text, page);
  }

  async say(body) {
    await this.page.bringToFront();
    await fill(this.page, '#composer-input', body);
    await this.page.keyboard.press('Enter');
  }

  /** Once, and with this status beside it if one is given. */
  shows(body, status = '', page = this.page) {
    return this.until(`shows "${body}" once ${status}`, showsOnce, [body, status], page);
  }

  /** Each is looked at: Firefox draws a hidden tab every few seconds at most. */
  async showsInAll(tabs, body) {
    for (const tab of tabs) {
      await tab.bringToFront();
      await this.shows(body, '', tab);
    }
  }

  /** Just these, of all that begins so, in this order. */
  showsJust(prefix, bodies) {
    return this.until(`shows just ${bodies.join(', ')}`, showsJust, [prefix, bodies]);
  }

  /** Until `holds` is true in the page. */
  async until(what, holds, argument, page = this.page) {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (!(await page.evaluate(holds, argument))) {
      if (performance.now() > deadlineMs) throw new Error(`not true: ${this.name} ${what}. ${await page.evaluate(picture)}`);
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }
}

// These run in the page.

function visible(selector) {
  return Boolean(document.querySelector(selector)?.checkVisibility());
}

function showsOnce([body, status]) {
  const rows = [...document.querySelectorAll('#log .row')].filter((row) => row.querySelector('.message__body')?.textContent === body);
  return rows.length === 1 && (!status || rows[0].querySelector('.message__status')?.getAttribute('aria-label') === status);
}

function showsJust([prefix, bodies]) {
  const all = [...document.querySelectorAll('#log .message__body')].map((body) => body.textContent);
  return JSON.stringify(all.filter((body) => body.startsWith(prefix))) === JSON.stringify(bodies);
}

function picture() {
  return `It reads "${document.querySelector('#status-text')?.textContent}" and: ${document.querySelector('#log')?.innerText.slice(-300)}`;
}

async function fill(page, selector, text) {
  await page.focus(selector);
  await page.$eval(selector, (input) => input.select());
  await page.keyboard.type(text);
}

async function network(what) {
  console.log(what);
  await answers.next();
}

const steps = {
  async 'signed in, and sent'({ ada }) {
    await ada.signIn();
    await ada.say('alone in Firefox');
    await ada.shows('alone in Firefox', 'Sent');
  },

  async 'a second person, and delivered'({ ada, bob }) {
    await bob.signIn();
    await ada.say('hello from Firefox');
    await bob.shows('hello from Firefox');
    await ada.shows('hello from Firefox', 'Delivered');
    await bob.say('hello back in Firefox');
    await ada.shows('hello back in Firefox');
  },

  async 'an outage'({ ada, bob }) {
    const bodies = ['outage in Firefox 1', 'outage in Firefox 2', 'outage in Firefox 3'];
    await network('cut');
    for (const body of bodies) await ada.say(body);
    for (const body of bodies) await ada.shows(body, 'Sending');
    await ada.reads('Reconnecting…');
    await network('restore');
    await tryNow(ada, bob);
    for (const body of bodies) await ada.shows(body, 'Delivered');
    for (const someone of [ada, bob]) await someone.showsJust('outage in Firefox', bodies);
  },

  async 'the page without its server'({ ada, bob }) {
    await ada.until('has a page that is kept', () => navigator.serviceWorker.controller !== null);
    await network('cut');
    await ada.say('offline in Firefox');
    await ada.page.reload();
    await ada.shows('outage in Firefox 3');
    await ada.shows('offline in Firefox', 'Sending');
    await network('restore');
    await tryNow(ada, bob);
    await ada.shows('offline in Firefox', 'Delivered');
    await bob.shows('offline in Firefox');
  },

  async 'six tabs, one stream'({ ada, bob }) {
    ada.tabs = [ada.page];
    while (ada.tabs.length < TABS) ada.tabs.push(await ada.newTab());
    for (const tab of ada.tabs) await ada.reads('Live', tab);
    await bob.say('to all tabs in Firefox');
    await ada.showsInAll(ada.tabs, 'to all tabs in Firefox');
    oneOf(ada.tabs, ada.streaming);
  },

  async 'the leader is closed'({ ada, bob }) {
    await ada.tabs[0].close();
    await bob.say('to those who are left in Firefox');
    const left = ada.tabs.slice(1);
    await ada.showsInAll(left, 'to those who are left in Firefox');
    oneOf(left, ada.streaming);
    ada.page = left[2];
    await ada.say('from one of them in Firefox');
    await ada.showsInAll(left, 'from one of them in Firefox');
    await bob.shows('from one of them in Firefox');
  },

  async 'no complaints'(people) {
    for (const { name, complaints } of Object.values(people)) {
      if (complaints.length) throw new Error(`the page of ${name} said: ${complaints.join('; ')}`);
    }
  },
};

function oneOf(tabs, streaming) {
  const count = tabs.filter((tab) => streaming.has(tab)).length;
  if (count !== 1) throw new Error(`${count} of ${tabs.length} tabs have asked for a stream, not one`);
}

/** By script: whoever has come back meanwhile has no button to press. Else one waits the longer, the longer it was away. */
async function tryNow(...people) {
  for (const { page } of people) await page.$eval('#banner-try', (button) => button.click());
}

async function main() {
  let step = 'Firefox starts';
  let browser = null;
  try {
    browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
    const people = {
      ada: new Person(await browser.createBrowserContext(), 'Ada'),
      bob: new Person(await browser.createBrowserContext(), 'Bob'),
    };
    for (step of Object.keys(steps)) {
      const beganMs = performance.now();
      await steps[step](people);
      console.log(`passed: ${step}, ${Math.round(performance.now() - beganMs)} ms`);
    }
    console.log('all passed');
  } catch (error) {
    console.log(`failed: ${step}: ${error.message}`);
    process.exitCode = 1;
  } finally {
    await browser?.close();
  }
}

await main();
process.stdin.destroy(); // else it is waited for
