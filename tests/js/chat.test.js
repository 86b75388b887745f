import './globals.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../static/js/net/api_error.js';
import { MemoryStorage } from '../../static/js/outbox/outbox_db.js';
import { Chat } from '../../static/js/page/chat.js';
import { RoomChoices } from '../../static/js/rooms/room_choices.js';
import { FakeClock, settle } from './fake_clock.js';
import { ADA, BOB, message } from './samples.js';

/** @typedef {import('../../static/js/net/shapes.js').RoomInfo} RoomInfo */

/** @param {Partial<RoomInfo>} fields @returns {RoomInfo} */
const info = (fields = {}) => ({
  name: 'general', title: 'General', visibility: 'public', member: true, owner: null, memberCount: 2, lastMessage: null, ...fields,
});

/** The server's answers, and a record of what was asked. */
class FakeApi {
  /** @type {string[]} */ asked = [];
  /** @type {RoomInfo[]} */ list = [info(), info({ name: 'news', title: 'News', member: false })];
  /** @type {Map<string, import('../../static/js/net/shapes.js').Message[]>} */ said = new Map();
  /** @type {ApiError | null} */ sendError = null;

  async rooms() {
    this.asked.push('rooms');
    return { rooms: this.list, after: null, cursor: '100-0' };
  }

  async room(/** @type {string} */ name) {
    this.asked.push(`room ${name}`);
    const found = this.list.find((each) => each.name === name);
    if (!found) throw new ApiError({ code: 'not_found', status: 404, retryable: false });
    return found;
  }

  async join(/** @type {string} */ name) {
    this.list = this.list.map((each) => (each.name === name ? { ...each, member: true } : each));
    return ADA;
  }

  async history(/** @type {string} */ name) {
    this.asked.push(`history ${name}`);
    return { messages: this.said.get(name) ?? [], before: null, after: null, hasMore: false, cursor: '100-0' };
  }

  async send(/** @type {import('../../static/js/outbox/outbox.js').Item} */ item) {
    this.asked.push(`send ${item.body}`);
    if (this.sendError) throw this.sendError;
    return message({ ...item, id: `m-${item.body}`, sender: ADA, cursor: null });
  }

  async read(/** @type {string} */ name, /** @type {string} */ cursor) {
    this.asked.push(`read ${name} ${cursor}`);
  }

  /** @type {import('../../static/js/net/shapes.js').Receipt[]} */ readers = [];

  async receipts() {
    return { receipts: this.readers };
  }

  async message(/** @type {string} */ id) {
    this.asked.push(`message ${id}`);
    return message({ id, growing: true, body: 'all that there is', sender: BOB, cursor: '101-0' });
  }

  async typing(/** @type {string} */ name, /** @type {boolean} */ typing) {
    this.asked.push(`typing ${name} ${typing}`);
  }

  async ack(/** @type {string} */ cursor) {
    this.asked.push(`ack ${cursor}`);
  }
}

async function setUp({ api = new FakeApi(), storage = new MemoryStorage() } = {}) {
  const clock = new FakeClock();
  /** @type {string[]} */ const since = [];
  /** @type {import('../../static/js/net/transport.js').Listener[]} */ const listeners = [];
  /** @type {string[]} */ const told = [];
  const open = (/** @type {string} */ from, /** @type {import('../../static/js/net/transport.js').Listener} */ listener) => {
    since.push(from);
    listeners.push(listener);
    return { close: () => {} };
  };
  const chat = new Chat({
    user: ADA, api: /** @type {any} */ (api), storage, clock, forced: null, tabs: () => null, choices: new RoomChoices(null, ADA.id),
    transports: { stream: open, poll: open },
    random: () => 0.5,
    on: {
      rooms: () => {}, room: () => {}, outbox: () => {}, connection: () => {},
      opened: (room) => told.push(`opened ${room?.name}`),
      found: (id) => told.push(`found ${id}`),
      unseen: () => {},
      discarded: () => {},
      signedOut: () => told.push('signed out'),
      otherUser: () => told.push('somebody else'),
      notice: (text) => told.push(text),
      presence: (room, changes) => told.push(`${room.name}: ${changes.map(({ user, online }) => `${user.name} ${online}`).join()}`),
    },
  });
  await chat.start();
  await chat.open('general');
  const say = async (/** @type {object} */ event, cursor = '101-0') => {
    listeners.at(-1)?.event(/** @type {any} */ ({ cursor, ...event }), cursor);
    await settle();
  };
  await say({ type: 'ready' }, '100-0');
  const bodies = (name = 'general') => chat.rooms.get(name)?.timeline.entries.map(({ body }) => body);
  return { chat, api, clock, say, told, since, bodies, storage };
}

test('the stream starts from the cursor of the list of rooms, before any history', async () => {
  const { since, api } = await setUp();
  assert.deepEqual(since, ['100-0']);
  assert.deepEqual(api.asked.slice(0, 2), ['rooms', 'history general']);
});

test('a message of someone else is shown and confirmed, one ack for many', async () => {
  const { say, bodies, api, clock } = await setUp();
  await say({ type: 'message.created', room: 'general', message: message({ id: 'a', body: 'one', cursor: '101-0' }) }, '101-0');
  await say({ type: 'message.created', room: 'general', message: message({ id: 'b', localId: 'b-0000001', body: 'two', cursor: '102-0' }) }, '102-0');
  await clock.pass(1_000);
  assert.deepEqual(bodies(), ['one', 'two']);
  assert.deepEqual(api.asked.filter((call) => call.startsWith('ack')), ['ack 102-0']);
});

test("one's own message is not confirmed", async () => {
  const { say, api, clock } = await setUp();
  await say({ type: 'message.created', room: 'general', message: message({ sender: ADA, cursor: '101-0' }) });
  await clock.pass(2_000);
  assert.deepEqual(api.asked.filter((call) => call.startsWith('ack')), []);
});

test('written, answered, seen in the log, delivered: one entry all the way', async () => {
  const { chat, say } = await setUp();
  const room = chat.rooms.get('general');
  assert.ok(room);
  chat.own.send(room, 'hello');
  const [entry] = room.timeline.entries;
  assert.equal(entry.status, 'sending');
  await settle();
  assert.equal(entry.status, 'sent');
  const sent = message({ id: 'm-hello', localId: entry.localId, sender: ADA, body: 'hello', cursor: '101-0' });
  await say({ type: 'message.created', room: 'general', message: sent });
  await say({ type: 'message.status', room: 'general', messageId: 'm-hello', localId: entry.localId, status: 'delivered' });
  assert.deepEqual(room.timeline.entries, [entry]);
  assert.equal(entry.status, 'delivered');
});

test('unsent messages of an earlier page are shown and sent', async () => {
  const api = new FakeApi();
  api.sendError = new ApiError({ code: 'network', retryable: true });
  const first = await setUp({ api });
  const room = first.chat.rooms.get('general');
  assert.ok(room);
  await first.chat.own.send(room, 'kept');
  await settle();
  first.chat.stop();

  const second = await setUp({ storage: first.storage });
  assert.deepEqual(second.bodies(), ['kept']);
  assert.equal(second.chat.outbox.pending.length, 0);
});

test('after joining, the history is loaded again once the stream follows the room', async () => {
  const { chat, api, say, bodies } = await setUp();
  await chat.open('news');
  const news = chat.rooms.get('news');
  assert.ok(news);
  const joining = chat.memberships.join(news);
  api.said.set('news', [message({ id: 'n', room: 'news', body: 'said in between', cursor: '104-0' })]);
  await say({ type: 'member.joined', room: 'news', user: ADA }, '105-0');
  await joining;
  assert.equal(chat.rooms.get('news')?.info.member, true);
  assert.deepEqual(bodies('news'), ['said in between']);
});

test('a room one is invited to appears, and what was said right after counts', async () => {
  const { chat, api, say } = await setUp();
  api.list.push(info({ name: 'den', title: 'Den', visibility: 'private' }));
  const joined = say({ type: 'member.joined', room: 'den', user: ADA }, '105-0');
  await say({ type: 'message.created', room: 'den', message: message({ id: 'd', room: 'den', cursor: '106-0' }) }, '106-0');
  await joined;
  assert.equal(chat.rooms.get('den')?.unread, 1);
  assert.equal(api.asked.filter((call) => call === 'room den').length, 1);
});

test('a private room that is lost goes away, and the page goes home', async () => {
  const api = new FakeApi();
  api.list.push(info({ name: 'den', title: 'Den', visibility: 'private' }));
  const { chat, say, told } = await setUp({ api });
  await chat.open('den');
  await say({ type: 'member.left', room: 'den', user: ADA });
  assert.equal(chat.rooms.get('den'), undefined);
  assert.equal(chat.current?.name, 'general');
  assert.ok(told.includes('You are no longer in Den.'));
});

test('who goes elsewhere while a room is looked up stays there', async () => {
  const { chat, told } = await setUp();
  const away = chat.open('unknown');
  await chat.open('general');
  await away;
  assert.equal(chat.current?.name, 'general');
  assert.equal(told.at(-1), 'opened general');
});

test('unread counts only what others say where nobody looks', async () => {
  const api = new FakeApi();
  api.list.push(info({ name: 'den', title: 'Den' }));
  const { chat, say } = await setUp({ api });
  const den = chat.rooms.get('den');
  assert.ok(den);
  await say({ type: 'message.created', room: 'den', message: message({ id: 'a', room: 'den', cursor: '101-0' }) });
  await say({ type: 'message.created', room: 'den', message: message({ id: 'b', localId: 'b-0000001', room: 'den', sender: ADA, cursor: '102-0' }) });
  await say({ type: 'message.created', room: 'general', message: message({ id: 'c', localId: 'c-0000001', cursor: '103-0' }) });
  assert.deepEqual([den.unread, den.firstUnreadId, chat.unread], [1, 'a', 1]);
  await chat.open('den');
  assert.equal(den.unread, 1); // the line is on the screen, what stands below it perhaps not
  chat.sees(true);
  assert.equal(den.unread, 0);
  assert.equal(den.firstUnreadId, 'a');
});

test('a room that grows unwatched keeps its newest messages only, and can load the rest', async () => {
  const api = new FakeApi();
  api.list.push(info({ name: 'den', title: 'Den' }));
  const { chat, say } = await setUp({ api });
  for (let number = 0; number < 2001; number += 1) {
    const cursor = `${1000 + number}-0`;
    const said = message({ id: `d${number}`, localId: `den-${number}-x`, room: 'den', cursor });
    chat.news.apply({ type: 'message.created', room: 'den', cursor, message: said });
  }
  await say({ type: 'heartbeat' });
  const den = chat.rooms.get('den');
  assert.ok(den);
  assert.equal(den.timeline.entries.length, 200);
  assert.equal(den.unread, 2001);
  assert.deepEqual([den.before, den.hasMore], ['2801-0', true]);
});

test('19 reset says so, and loads the rooms and every loaded history again', async () => {
  const { api, say, bodies, told } = await setUp();
  api.asked = [];
  api.said.set('general', [message({ id: 'z', body: 'after the reset', cursor: '50-0' })]);
  await say({ type: 'reset', cursor: '50-0' }, '50-0');
  assert.deepEqual(api.asked, ['rooms', 'history general']);
  assert.deepEqual(bodies(), ['after the reset']);
  assert.ok(told.includes('Some older messages are loading…'));
});

test('an edit of a message that is older than what is loaded waits for its page', async () => {
  const { chat, say, bodies } = await setUp();
  const room = chat.rooms.get('general');
  assert.ok(room);
  room.takeNewest({ messages: [message({ id: 'new', cursor: '90-0' })], before: '90-0', after: null, hasMore: true, cursor: '100-0' });
  const old = message({ id: 'old', localId: 'old-00001', sender: BOB, body: 'edited', cursor: '10-0', editedAt: '2026-11-22T11:00:00.000Z' });
  await say({ type: 'message.updated', room: 'general', message: old });
  assert.deepEqual(bodies(), ['hello']);
});

test('a session that ends while sending stops everything and says so once', async () => {
  const { chat, api, told, storage } = await setUp();
  api.sendError = new ApiError({ code: 'unauthenticated', status: 401, retryable: false });
  const room = chat.rooms.get('general');
  assert.ok(room);
  await chat.own.send(room, 'too late');
  await settle();
  assert.deepEqual(told.filter((text) => text === 'signed out'), ['signed out']);
  assert.equal(chat.connection.state.phase, 'stopped');
  assert.equal((await storage.load(ADA.id)).length, 1);
});

test('what is unread survives a reload: the badge, and the line before the first of it', async () => {
  const api = new FakeApi();
  api.list = [info(), info({ name: 'team', title: 'Team', unread: 2, readCursor: '90-0' })];
  api.said.set('team', [
    message({ id: 'a', localId: 'local-000a', room: 'team', cursor: '90-0' }),
    message({ id: 'b', localId: 'local-000b', room: 'team', sender: ADA, cursor: '91-0' }),
    message({ id: 'c', localId: 'local-000c', room: 'team', cursor: '92-0' }),
    message({ id: 'd', localId: 'local-000d', room: 'team', cursor: '93-0' }),
  ]);
  const { chat, clock } = await setUp({ api });
  assert.equal(chat.unread, 2);
  await chat.open('team');
  chat.sees(true);
  assert.equal(chat.unread, 0);
  assert.equal(chat.rooms.get('team')?.firstUnreadId, 'c');
  await clock.pass(1_000);
  assert.deepEqual(api.asked.filter((call) => call.startsWith('read')), ['read team 93-0']);
});

test('the server is told seldom how far the user has read, at once when they go, and nothing while nobody looks', async () => {
  const { chat, say, api, clock } = await setUp();
  const write = (/** @type {number} */ number) => say({
    type: 'message.created', room: 'general',
    message: message({ id: `m${number}`, localId: `local-${number}00`, cursor: `${number}-0` }),
  }, `${number}-0`);
  const told = () => api.asked.filter((call) => call.startsWith('read'));
  await write(101);
  await write(102);
  assert.deepEqual(told(), []);
  await clock.pass(1_100);
  assert.deepEqual(told(), ['read general 102-0']);
  await write(103);
  chat.setVisible(false);
  assert.equal(told().at(-1), 'read general 103-0');
  await write(104);
  await clock.pass(60_000);
  assert.equal(told().length, 2);
  assert.equal(chat.unread, 1);
  chat.setVisible(true);
  await clock.pass(5_000);
  assert.equal(told().at(-1), 'read general 104-0');
});

test('what another client of the user has read is not unread here', async () => {
  const api = new FakeApi();
  api.list = [info(), info({ name: 'team', title: 'Team', unread: 7 })];
  const { chat, say } = await setUp({ api });
  await say({ type: 'read', room: 'team', unread: 1, cursor: null }, undefined);
  assert.equal(chat.unread, 1);
});

test('who is writing is shown until they stop, or for six seconds, or until their message comes', async () => {
  const { chat, say, clock } = await setUp();
  const typing = (/** @type {boolean} */ typing) => say({ type: 'typing', room: 'general', user: BOB, typing, cursor: null });
  await typing(true);
  assert.deepEqual(chat.typists, ['Bob']);
  await typing(false);
  assert.deepEqual(chat.typists, []);
  await typing(true);
  await clock.pass(5_999);
  assert.deepEqual(chat.typists, ['Bob']);
  await clock.pass(1);
  assert.deepEqual(chat.typists, []);
  await typing(true);
  await say({ type: 'message.created', room: 'general', message: message({ cursor: '101-0' }) });
  assert.deepEqual(chat.typists, []);
});

test('the room is told that the user writes every three seconds, and that they stopped', async () => {
  const { chat, api, clock } = await setUp();
  const told = () => api.asked.filter((call) => call.startsWith('typing'));
  chat.typing.wrote('general', 'h');
  chat.typing.wrote('general', 'he');
  await clock.pass(3_000);
  chat.typing.wrote('general', 'hel');
  chat.typing.wrote('general', '');
  chat.typing.wrote('general', ' ');
  assert.deepEqual(told(), ['typing general true', 'typing general true', 'typing general false']);
  chat.typing.wrote('general', 'hi');
  chat.typing.sent();
  chat.typing.wrote('general', '');
  assert.equal(told().length, 4);
});

test('a room that is renamed has its new name at once', async () => {
  const { chat, say } = await setUp();
  await say({ type: 'room.updated', room: 'general', title: 'Lobby', owner: null });
  assert.equal(chat.rooms.get('general')?.title, 'Lobby');
});

test('who is there is counted, and told to whoever shows names', async () => {
  const { chat, say, told } = await setUp();
  await say({ type: 'presence', room: 'general', onlineCount: 2, changes: [{ user: BOB, online: true }], cursor: null });
  assert.equal(chat.rooms.get('general')?.info.onlineCount, 2);
  assert.deepEqual(told.slice(-1), [`general: ${BOB.name} true`]);
});

test('a message grows as its parts come, and ends as the log says', async () => {
  const { say, bodies, chat } = await setUp();
  const grows = { id: 'm-1', sender: BOB, cursor: '101-0', growing: true };
  await say({ type: 'message.created', room: 'general', message: message({ ...grows, body: 'one' }) });
  await say({ type: 'message.grew', room: 'general', messageId: 'm-1', at: 3, text: ' 🦊', cursor: null });
  assert.deepEqual(bodies(), ['one 🦊']);
  // In code points; what is there already changes nothing.
  await say({ type: 'message.grew', room: 'general', messageId: 'm-1', at: 5, text: ' two', cursor: null });
  await say({ type: 'message.grew', room: 'general', messageId: 'm-1', at: 3, text: ' 🦊', cursor: null });
  assert.deepEqual(bodies(), ['one 🦊 two']);
  await say({ type: 'message.updated', room: 'general', message: message({ ...grows, growing: false, body: 'the end' }) }, '102-0');
  assert.deepEqual(bodies(), ['the end']);
  // Late news of the time when it grew.
  await say({ type: 'message.grew', room: 'general', messageId: 'm-1', at: 0, text: 'one', cursor: null });
  await say({ type: 'message.created', room: 'general', message: message({ ...grows, body: 'one' }) });
  assert.deepEqual(bodies(), ['the end']);
  assert.equal(chat.rooms.get('general')?.timeline.byId('m-1')?.growing, false);
});

test('of a message that grows, whoever missed a part loads the whole, once', async () => {
  const { say, bodies, api } = await setUp();
  await say({ type: 'message.created', room: 'general', message: message({ id: 'm-1', sender: BOB, growing: true, body: 'all', cursor: '101-0' }) });
  await say({ type: 'message.grew', room: 'general', messageId: 'm-1', at: 9, text: 'there is', cursor: null });
  assert.deepEqual(bodies(), ['all that there is']);
  assert.deepEqual(api.asked.filter((call) => call.startsWith('message')), ['message m-1']);
});

test('a room that is deleted is gone from the list, and from the screen', async () => {
  const { chat, say, told } = await setUp();
  chat.rooms.put(info({ name: 'team', title: 'Team' }));
  await chat.open('team');
  await say({ type: 'room.deleted', room: 'team' }, '103-0');
  assert.equal(chat.rooms.get('team'), undefined);
  assert.deepEqual(told.slice(-2), ['Team was deleted.', 'opened general']);
});

test('in a small room it is said who has read the last of what one said', async () => {
  const api = new FakeApi();
  api.said.set('general', [message({ id: 'm-1', sender: ADA, cursor: '90-0' })]);
  api.readers = [{ user: ADA, readCursor: '95-0' }, { user: BOB, readCursor: '80-0' }];
  const { chat, say } = await setUp({ api });
  const room = chat.rooms.get('general');
  assert.deepEqual(room?.seenBy, { id: 'm-1', names: [] });
  await say({ type: 'receipt', room: 'general', receipts: [{ user: BOB, readCursor: '92-0' }], cursor: null });
  assert.deepEqual(room?.seenBy.names, [BOB.name]);
  // Never back.
  await say({ type: 'receipt', room: 'general', receipts: [{ user: BOB, readCursor: '70-0' }], cursor: null });
  assert.deepEqual(room?.seenBy.names, [BOB.name]);
  await say({ type: 'member.left', room: 'general', user: BOB }, '104-0');
  assert.deepEqual(room?.seenBy.names, []);
});
