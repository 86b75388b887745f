// One signed-in user's chat: rooms, messages, outbox and connection put together. No DOM.

import { Acks } from '../net/acks.js';
import { ApiError, asApiError } from '../net/api_error.js';
import { connect } from '../net/connect.js';
import { OwnTyping } from '../net/own_typing.js';
import { newLocalId } from '../outbox/local_id.js';
import { OwnMessages } from '../outbox/own_messages.js';
import { reasonText } from '../outbox/refusal.js';
import { Directory } from '../rooms/directory.js';
import { Histories } from '../rooms/histories.js';
import { Quoted } from '../rooms/quoted.js';
import { keptOf } from '../rooms/kept_rooms.js';
import { News } from '../rooms/news.js';
import { SMALL } from '../rooms/readers.js';
import { Reads } from '../rooms/reads.js';
import { RoomBook } from '../rooms/room_book.js';
import { SHOWN_MS } from '../rooms/typists.js';
import { Memberships } from './memberships.js';

/**
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../net/shapes.js').Message} Message
 * @typedef {import('../net/shapes.js').RoomInfo} RoomInfo
 * @typedef {import('../net/shapes.js').User} User
 */

/**
 * What views are told. They read the rest from the chat itself.
 * @typedef {object} ChatCallbacks
 * @property {() => void} rooms
 * @property {(room: Room) => void} room its messages or its state changed
 * @property {(room: Room | null) => void} opened
 * @property {(id: string) => void} found the message that a link leads to is here
 * @property {(room: Room, message: Message) => void} unseen somebody said something where nobody looks
 * @property {() => void} outbox
 * @property {(state: import('../net/connection.js').ConnectionState) => void} connection
 * @property {() => void} signedOut
 * @property {() => void} otherUser the connection is another user's: another tab signed in
 * @property {(localId: string) => void} discarded a message that waited was deleted here
 * @property {(text: string) => void} notice
 * @property {(room: Room, changes: {user: User, online: boolean}[]) => void} presence who came and went; none: load them
 */

/**
 * @typedef {object} ChatParts
 * @property {User} user
 * @property {import('../net/api.js').Api} api
 * @property {import('../outbox/outbox.js').OutboxStorage} storage
 * @property {Record<'stream' | 'poll', import('../net/transport.js').OpenTransport>} transports
 * @property {'stream' | 'poll' | null} forced
 * @property {(userId: string) => import('../net/tabs.js').Tabs | null} tabs the user's, null where each is alone
 * @property {import('../net/clock.js').Clock} clock
 * @property {() => number} random
 * @property {import('../rooms/room_choices.js').RoomChoices} choices
 * @property {ChatCallbacks} on
 */

const LOAD_AGAIN_MS = 1_000;

export class Chat {
  /** @type {Room | null} */
  current = null;
  /** Whether the page is visible: what comes while it is not counts as unread. */
  visible = true;
  /** Whether the newest message of the open room is on the screen: what comes then is read. */
  #atLatest = true;
  #live = false;
  #wasLost = false;
  /** Messages that are being loaded. @type {Set<string>} */
  #loading = new Set();
  /** The room in the address, whether it exists or not. */
  asked = '';
  /** Why the asked room is not shown, if it is not known whether it exists. */
  missing = '';
  #api;
  #clock;
  #link;
  #on;

  /** @param {ChatParts} parts */
  constructor(parts) {
    const { api, user, clock, random, on } = parts;
    this.#api = api;
    this.#clock = clock;
    this.#on = on;
    this.user = user;
    this.choices = parts.choices;
    this.quoted = new Quoted((id) => api.message(id), clock);
    this.rooms = new RoomBook(user.id);
    this.directory = new Directory({ api, clock, rooms: this.rooms, changed: on.rooms, open: () => this.current });
    this.histories = new Histories(api, on.room);
    this.acks = new Acks({ post: (cursor) => api.ack(cursor), clock, random });
    this.reads = new Reads({ post: (room, cursor) => api.read(room, cursor), clock, random });
    this.typing = new OwnTyping({ post: (room, typing) => api.typing(room, typing), clock });
    this.memberships = this.#makeMemberships();
    this.own = this.#makeOwnMessages(parts);
    this.news = this.#makeNews();
    this.#link = this.#makeLink(parts);
  }

  get outbox() {
    return this.own.outbox;
  }

  get connection() {
    return this.#link.connection;
  }

  /** Rooms first: the stream starts from their cursor, so that nothing is missed in between. */
  async start() {
    await this.#startAt(await this.directory.load());
  }

  /**
   * With what was kept, while the server cannot be reached.
   * @param {import('../rooms/kept_rooms.js').Kept} kept
   */
  async startOffline(kept) {
    this.directory.restore(kept);
    await this.#startAt(kept.cursor);
  }

  /** What is to be kept for a start without the server. */
  get kept() {
    return keptOf(this.user, this.connection.cursor, this.rooms.all);
  }

  /** @param {string} cursor */
  async #startAt(cursor) {
    await this.own.load();
    this.connection.start(cursor);
    this.outbox.wake();
    this.#on.outbox();
  }

  stop() {
    this.connection.stop();
    this.outbox.stop();
    this.acks.stop();
    this.reads.stop();
  }

  /** @param {string} name */
  async open(name) {
    this.asked = name;
    const room = this.rooms.get(name) ?? (await this.directory.lookUp(name));
    if (this.asked !== name) return; // the user has gone elsewhere meanwhile
    this.#leaveCurrent();
    this.current = room;
    if (room) room.past = null;
    this.missing = room || !this.directory.unanswered.has(name) ? '' : 'This room cannot be shown while you are offline';
    this.#on.opened(room);
    this.#on.rooms();
    // A room the user only reads gets no events, so what is here may be out of date.
    if (room && (room.history !== 'ready' || !room.info.member)) await this.histories.newestAndUnread(room);
    else if (room) await this.histories.unread(room);
    if (!room || room !== this.current) return;
    // Where a line stands before what is new, the view says when the end of it has been seen.
    if (room.history === 'ready') this.sees(room.firstUnreadId === null);
    await this.#loadReaders(room);
  }

  /**
   * Opens the room at one of its messages, however far back.
   * @param {string} id
   */
  async openMessage(id) {
    const room = this.current;
    if (!room) return;
    try {
      if (room.timeline.byId(id)) room.past = null;
      else await this.#loadAround(room, id);
      if (room === this.current) this.#on.found(id);
    } catch (error) {
      const away = asApiError(error).retryable && error instanceof ApiError;
      this.#on.notice(away ? 'The message cannot be loaded now: the server does not answer.' : 'That message is not here any more.');
    }
  }

  /**
   * @param {Room} room
   * @param {string} id
   */
  async #loadAround(room, id) {
    const message = await this.#api.message(id);
    if (message.room !== room.name) throw new Error('a message of another room');
    await this.histories.around(room, message);
    if (room !== this.current) room.past = null;
  }

  /**
   * Whether the newest message of the open room is on the screen.
   * @param {boolean} atLatest
   */
  sees(atLatest) {
    this.#atLatest = atLatest;
    if (!atLatest || !this.visible || !this.current) return;
    if (this.current.unread) this.#on.rooms();
    this.current.seen();
    this.#read(this.current);
  }

  /** How many messages wait in rooms that are not muted. */
  get unread() {
    const heard = this.rooms.all.filter(({ name }) => !this.choices.isMuted(name));
    return heard.reduce((sum, room) => sum + room.unread, 0);
  }

  /**
   * Says what the guest before could not, where this user is a member or may become one.
   * @param {import('../outbox/left_texts.js').LeftTexts} texts
   */
  sendLeft(texts) {
    return texts.sendAs(async ({ room: name, body }) => {
      const room = this.rooms.get(name) ?? (await this.directory.lookUp(name));
      if (!room || (!room.info.member && !(await this.memberships.join(room)))) return false;
      await this.own.send(room, body);
      return true;
    });
  }

  /** Who is writing in the open room. */
  get typists() {
    return this.current?.typists.names(this.#clock.now()) ?? [];
  }

  /** @param {boolean} visible */
  setVisible(visible) {
    this.visible = visible;
    this.#link.setVisible(visible);
    if (!visible) return this.reads.tell();
    this.sees(this.#atLatest);
    this.directory.refresh();
  }

  /**
   * @param {string} id
   * @param {string} body
   */
  edit(id, body) {
    return this.#try(async () => this.#merge(await this.#api.edit(id, body)));
  }

  /** @param {string} id */
  withdraw(id) {
    return this.#try(async () => this.#merge(await this.#api.withdraw(id)));
  }

  /** @param {ChatParts} parts */
  #makeOwnMessages({ user, storage, clock, random, api, on }) {
    return new OwnMessages({
      user, storage, clock, random,
      rooms: this.rooms,
      send: (item) => api.send(item),
      on: {
        changed: on.room,
        outbox: on.outbox,
        answered: () => this.connection.serverAnswers(),
        signedOut: () => this.#signedOut(),
        discarded: on.discarded,
        notice: on.notice,
      },
    });
  }

  #makeMemberships() {
    return new Memberships({
      api: this.#api,
      rooms: this.rooms,
      directory: this.directory,
      histories: this.histories,
      current: () => this.current,
      asked: () => this.asked,
      open: (name) => this.open(name),
      changed: this.#on.room,
      notice: this.#on.notice,
      attempt: (action) => this.#try(action),
    });
  }

  #makeNews() {
    return new News(this.rooms, this.user.id, {
      changed: this.#on.room,
      ownArrived: (message) => this.outbox.confirm(message.localId),
      received: (cursor) => this.connection.leads && this.connection.state.transport === 'stream' && this.acks.received(cursor),
      isWatched: (room) => room === this.current && this.visible && this.#atLatest,
      unseen: this.#on.unseen,
      watched: (room) => this.#read(room),
      typing: (room, user, typing) => this.#typing(room, user, typing),
      presence: this.#on.presence,
      missed: (_, id) => this.#loadMessage(id),
      deleted: (name) => this.memberships.deleted(name),
      joined: (name) => this.memberships.joined(name),
      left: (name) => this.memberships.left(name),
      lookUp: (name) => this.directory.lookUp(name),
    });
  }

  /** @param {ChatParts} parts */
  #makeLink({ transports, forced, clock, random, tabs }) {
    return connect({
      me: newLocalId(),
      tabs: tabs(this.user.id),
      visible: () => this.visible,
      catchUp: (cursor) => this.#api.poll(cursor, 0),
      connection: {
        open: transports, forced, clock, random,
        sessionStands: () => this.#sessionStands(),
        on: {
          ready: (event) => event.user && event.user.id !== this.user.id && this.#on.otherUser(),
          event: (event) => this.news.apply(event),
          state: (state) => this.#connectionChanged(state),
          reset: () => this.#reload(),
          signedOut: () => this.#signedOut(),
          reopened: () => this.directory.load().catch(() => {}),
        },
      },
    });
  }

  /** @param {import('../net/connection.js').ConnectionState} state */
  #connectionChanged(state) {
    const cameBack = state.phase === 'live' && !this.#live;
    this.#live = state.phase === 'live';
    this.#wasLost ||= state.phase === 'lost';
    this.#on.connection(state);
    if (!cameBack) return;
    this.outbox.wake();
    this.directory.refresh();
    if (this.missing) void this.open(this.asked);
    if (this.current?.history === 'error') this.histories.newestAndUnread(this.current);
    if (this.current && this.#wasLost) this.#loadReaders(this.current); // what was signalled meanwhile is lost
  }

  async #sessionStands() {
    try {
      await this.#api.session();
      return true;
    } catch (error) {
      if (asApiError(error).signedOut) return false;
      throw error;
    }
  }

  async #reload() {
    this.#on.notice('Some older messages are loading…');
    const cursor = await this.directory.load();
    for (const room of this.rooms.all) if (room !== this.current) room.recount();
    const loaded = this.rooms.all.filter((room) => room.history !== 'none');
    for (const room of loaded) await this.histories.newest(room);
    return cursor;
  }

  /** The user has seen all that is here of the room. @param {Room} room */
  #read(room) {
    const { newest } = room;
    if (this.visible && room.info.member && room.history === 'ready' && newest) this.reads.read(room.name, newest, room.info.memberCount);
  }

  /**
   * @param {Room} room
   * @param {User} user
   * @param {boolean} typing
   */
  #typing(room, user, typing) {
    room.typists.heard(user, typing, this.#clock.now());
    if (typing) this.#clock.setTimeout(() => this.#on.room(room), SHOWN_MS);
  }

  #signedOut() {
    this.stop();
    this.#on.signedOut();
  }

  /** Who has read what: only where the server says so. @param {Room} room */
  async #loadReaders(room) {
    if (!room.info.member || room.info.memberCount > SMALL) return;
    const answer = await this.#api.receipts(room.name).catch(() => null);
    room.readers.take(answer?.receipts ?? []);
    this.#on.room(room);
  }

  /** @param {string} id */
  async #loadMessage(id) {
    if (this.#loading.has(id)) return;
    this.#loading.add(id);
    try {
      this.#merge(await this.#api.message(id));
    } catch {
      // The next part says again that one is missing.
    }
    // Parts go on coming: of those before the answer one may be missing again.
    this.#clock.setTimeout(() => this.#loading.delete(id), LOAD_AGAIN_MS);
  }

  #leaveCurrent() {
    if (!this.current) return;
    this.reads.tell();
    this.current.forgetLine();
    this.current.trim();
  }

  /** @param {Message} message */
  #merge(message) {
    const room = this.rooms.get(message.room);
    room?.merge(message);
    if (room) this.#on.room(room);
  }

  /** @param {() => Promise<void>} action */
  async #try(action) {
    try {
      await action();
      return true;
    } catch (error) {
      this.#on.notice(`That did not work: ${reasonText(asApiError(error))}.`);
      return false;
    }
  }
}
