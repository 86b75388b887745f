import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastingStorage } from '../../static/js/outbox/lasting_storage.js';
import { MemoryStorage } from '../../static/js/outbox/outbox_db.js';
import { FakeClock, settle } from './fake_clock.js';
import { ADA } from './samples.js';

const NEVER = new Promise(() => {});
/** @type {import('../../static/js/outbox/outbox.js').Item} */
const FIRST = { localId: 'local-1', userId: ADA.id, room: 'general', body: 'one', createdAt: '', order: 1, tried: false, refusal: null };
const SECOND = { ...FIRST, localId: 'local-2', body: 'two', order: 2 };

/** A browser whose database can be closed, emptied, filled up or put to sleep. */
function setUp() {
  const clock = new FakeClock();
  const browser = {
    database: new MemoryStorage(), opened: 0, lost: 0, refusals: 0, sleeps: false,
    /** @type {() => void} */ close: () => {},
  };
  const storage = new LastingStorage({
    clock,
    lost: () => { browser.lost += 1; },
    open: async (closed) => {
      browser.opened += 1;
      browser.close = closed;
      if (browser.sleeps) await NEVER;
      /** @param {() => Promise<any>} act */
      const act = (act) => {
        if (browser.refusals-- > 0) throw new DOMException('full', 'QuotaExceededError');
        return browser.sleeps ? NEVER : act();
      };
      return {
        load: async (userId) => act(() => browser.database.load(userId)),
        others: async (userId) => act(() => browser.database.others(userId)),
        put: async (item) => act(() => browser.database.put(item)),
        remove: async (item) => act(() => browser.database.remove(item)),
      };
    },
  });
  const kept = async () => (await browser.database.load(ADA.id)).map(({ body }) => body);
  return { clock, browser, storage, kept };
}

test('what is put is kept, until it is removed', async () => {
  const { storage, kept, browser } = setUp();
  await storage.put(FIRST);
  await storage.put(SECOND);
  await storage.remove(FIRST);
  assert.deepEqual(await kept(), ['two']);
  assert.deepEqual([browser.opened, browser.lost], [1, 0]);
});

test('a database that the browser emptied gets all that is not sent yet', async () => {
  const { storage, kept, browser } = setUp();
  await storage.put(FIRST);
  browser.database = new MemoryStorage();
  browser.close();
  await settle();
  assert.deepEqual(await kept(), ['one']);
  await storage.put(SECOND);
  assert.deepEqual(await kept(), ['one', 'two']);
  assert.deepEqual([browser.opened, browser.lost], [2, 0]);
});

test('one that refuses once is opened again', async () => {
  const { storage, kept, browser } = setUp();
  await storage.put(FIRST);
  browser.database = new MemoryStorage();
  browser.refusals = 1;
  await storage.put(SECOND);
  assert.deepEqual([await kept(), browser.lost], [['one', 'two'], 0]);
});

test('one that is full is said once, and messages go on', async () => {
  const { storage, browser } = setUp();
  browser.refusals = 1000;
  await storage.put(FIRST);
  await storage.put(SECOND);
  await storage.remove(FIRST);
  assert.equal(browser.lost, 1);
});

test('one that never answers holds nobody up for more than four seconds', async () => {
  const { storage, browser, clock } = setUp();
  browser.sleeps = true;
  let over = 0;
  storage.load(ADA.id).then((items) => { over += 1; assert.deepEqual(items, []); });
  await clock.pass(4000);
  assert.deepEqual([over, browser.lost], [1, 1]);
  await storage.put(FIRST);
});

test('whoever signs in again finds what was kept in memory', async () => {
  const { storage, browser } = setUp();
  browser.refusals = 1000;
  await storage.put(FIRST);
  assert.deepEqual((await storage.load(ADA.id)).map(({ body }) => body), ['one']);
  assert.deepEqual(await storage.load('u_another'), []);
});
