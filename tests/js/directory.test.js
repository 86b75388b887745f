import './globals.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Directory } from '../../static/js/rooms/directory.js';
import { News } from '../../static/js/rooms/news.js';
import { RoomBook } from '../../static/js/rooms/room_book.js';
import { FakeClock } from './fake_clock.js';
import { ADA } from './samples.js';

/** @typedef {import('../../static/js/net/shapes.js').RoomInfo} RoomInfo */

/** @param {number} onlineCount @returns {RoomInfo} */
const info = (onlineCount) => ({
  name: 'general', title: 'General', visibility: 'public', member: true, owner: null, memberCount: 2, lastMessage: null, onlineCount,
});

/** A directory whose answers come when the test gives them. */
function waiting() {
  const rooms = new RoomBook(ADA.id);
  /** @type {((rooms: RoomInfo[]) => void)[]} */ const asked = [];
  const api = {
    rooms: () => new Promise((resolve) => asked.push((list) => resolve({ rooms: list, after: null, cursor: '1-0' }))),
    room: () => new Promise((resolve) => asked.push(([room]) => resolve(room))),
  };
  const directory = new Directory({ api, rooms, clock: new FakeClock(), changed: () => {}, open: () => null });
  const hooks = /** @type {import('../../static/js/rooms/news.js').NewsHooks} */ (
    /** @type {unknown} */ ({ changed: () => {}, presence: () => {} }));
  const news = new News(rooms, ADA.id, hooks);
  const tell = (/** @type {number} */ onlineCount) => news.apply({ type: 'presence', room: 'general', cursor: null, onlineCount, changes: [] });
  return { rooms, directory, asked, tell };
}

for (const [what, ask] of /** @type {[string, (directory: Directory) => Promise<unknown>][]} */ ([
  ['the list', (directory) => directory.load()],
  ['a room', (directory) => directory.lookUp('general')],
])) {
  test(`an answer with ${what} that is older than the presence told since does not undo it`, async () => {
    const { rooms, directory, asked, tell } = waiting();
    rooms.put(info(1));
    const answer = ask(directory);
    tell(2);
    asked.shift()?.([{ ...info(1), memberCount: 3 }]);
    await answer;
    assert.deepEqual([rooms.get('general')?.info.onlineCount, rooms.get('general')?.info.memberCount], [2, 3]);
  });

  test(`an answer with ${what} that was asked for afterwards is believed`, async () => {
    const { rooms, directory, asked, tell } = waiting();
    rooms.put(info(1));
    tell(2);
    const answer = ask(directory);
    asked.shift()?.([info(5)]);
    await answer;
    assert.equal(rooms.get('general')?.info.onlineCount, 5);
  });
}
