// The whole page of a signed-in user: puts the views together and connects them with the chat.

import { Banner } from './banner.js';
import { Browse } from './browse.js';
import { copyText } from './clipboard.js';
import { Composer } from './composer.js';
import { confirm } from './confirm.js';
import { byId, setText } from './dom.js';
import { Drawer } from './drawer.js';
import { Favicon } from './favicon.js';
import { Find } from './find.js';
import { firstLine } from './format.js';
import { setUpKeyboard, showKeys } from './keyboard.js';
import { LeftTextsView } from './left_texts.js';
import { Menu } from './menu.js';
import { MessageList } from './message_list.js';
import { NewRoom } from './new_room.js';
import { COMMON_ROOM, People } from './people.js';
import { PersonCard } from './person_card.js';
import { QueueView } from './queue.js';
import { RoomHead } from './room_head.js';
import { RoomList } from './room_list.js';
import { roomMenu } from './room_menu.js';
import { RoomSettings } from './room_settings.js';
import { typingText } from './text.js';
import { UserMenu } from './user_menu.js';

/**
 * @typedef {import('../page/chat.js').Chat} Chat
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../rooms/entry.js').Entry} Entry
 */

/**
 * @typedef {object} ViewParts
 * @property {import('../net/clock.js').Clock} clock
 * @property {(room: string, message?: string) => string} pathOf
 * @property {(name: string) => void} openRoom
 * @property {() => void} signOut
 * @property {(text: string) => void} notice
 * @property {import('../net/api.js').Api} api
 * @property {import('./notifications.js').Notifications} notifications
 * @property {(userId: string) => import('./drafts.js').Drafts} drafts
 */

const SMALL_ENOUGH = 1000; // members: one page, to find out whether somebody is there

export class ChatView {
  #section = byId('chat', HTMLDivElement);
  #badge = byId('drawer-badge', HTMLSpanElement);
  /** @type {Chat | null} */ #chat = null;
  /** @type {import('./drafts.js').Drafts | null} */ #drafts = null;
  #roomsPlanned = false;
  #menu = new Menu();
  #favicon = new Favicon();
  #parts;

  /** @param {ViewParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.drawer = new Drawer();
    this.banner = new Banner(parts.clock, () => this.#tryNow());
    this.messages = this.#makeMessages();
    this.composer = this.#makeComposer();
    this.queue = new QueueView(parts.clock, {
      retryAll: () => this.#forFailed((id) => this.#chat?.own.retry(id)),
      deleteAll: () => this.#deleteAll(),
    });
    this.left = new LeftTextsView({ copy: (text) => this.#copy(text), send: async (texts) => (await this.#chat?.sendLeft(texts)) ?? 0 });
    this.list = new RoomList({ open: (name) => this.#openRoom(name), path: parts.pathOf, isMuted: (name) => Boolean(this.#chat?.choices.isMuted(name)) });
    this.head = new RoomHead({ join: () => this.#join(), menu: (opener) => this.#openRoomMenu(opener), people: () => this.#openPeople() });
    this.settings = new RoomSettings({
      rename: async (room, title) => this.#chat?.renameRoom(room, title),
      remove: async (room) => this.#chat?.deleteRoom(room),
    });
    this.newRoom = new NewRoom(async (wanted) => {
      await this.#chat?.createRoom(wanted);
      this.drawer.close();
    }, () => this.#write());
    this.browse = this.#makeBrowse();
    this.find = this.#makeFind(parts);
    this.card = new PersonCard({ find: (user) => this.#findPerson(user), talkTo: (userId) => this.#talkTo(userId) });
    this.people = new People(parts.api, { talkTo: (userId) => this.#talkTo(userId), card: (user) => this.#showCard(user) });
    this.userMenu = new UserMenu({ menu: this.#menu, notifications: parts.notifications, keys: showKeys, signOut: () => this.#signOut() });
    setUpKeyboard({ find: () => this.#chat && this.find.open() });
  }

  #makeBrowse() {
    return new Browse({
      rooms: () => this.#allRooms().filter(({ info }) => info.visibility === 'public'),
      hasMore: () => Boolean(this.#chat?.directory.hasMore),
      loadMore: async () => this.#chat?.directory.loadMore(),
      open: (name) => this.#openRoom(name),
      join: async (room) => (await this.#chat?.join(room)) ?? false,
      create: () => this.newRoom.open(),
    });
  }

  /** @param {ViewParts} parts */
  #makeFind({ clock, api }) {
    return new Find({
      clock,
      rooms: () => this.#allRooms(),
      people: async () => (await api.members(COMMON_ROOM)).members,
      me: () => this.#chat?.user.id ?? '',
      openRoom: (name) => this.#openRoom(name),
      talkTo: (userId) => this.#talkTo(userId),
    });
  }

  /** @param {Chat} chat */
  show(chat) {
    this.#chat = chat;
    this.#drafts = this.#parts.drafts(chat.user.id);
    this.#parts.notifications.use(chat.choices);
    this.userMenu.show(chat.user);
    this.#section.hidden = false;
  }

  hide() {
    this.#chat = null;
    this.#section.hidden = true;
    this.#menu.close(false);
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    this.messages.show(null, '');
    this.#parts.notifications.use(null);
    this.#favicon.show(false);
    document.title = 'Chat';
  }

  /** @param {Room | null} room */
  opened(room) {
    this.messages.show(room, this.#chat?.user.id ?? '');
    this.#showRoom(room);
    this.#showComposer(room);
    this.#showTypists();
  }

  /** @param {string} id the message that a link leads to */
  showMessage(id) {
    return this.messages.jumpTo(id);
  }

  #showTypists() {
    setText(byId('typing', HTMLParagraphElement), typingText(this.#chat?.typists ?? []));
  }

  /** Titles, counts and the list of rooms change together and need not change at once. */
  roomsChanged() {
    if (this.#roomsPlanned) return;
    this.#roomsPlanned = true;
    this.#parts.clock.setTimeout(() => {
      this.#roomsPlanned = false;
      this.#showRooms();
    }, 50);
  }

  /** @param {Room} room */
  roomChanged(room) {
    this.messages.changed(room);
    this.roomsChanged();
    this.#showTypists();
  }

  /**
   * @param {Room} room
   * @param {{user: import('../net/shapes.js').User, online: boolean}[]} changes
   */
  presenceChanged(room, changes) {
    this.people.presence(room, changes);
  }

  outboxChanged() {
    const live = this.#chat?.connection.state.phase === 'live';
    this.queue.show(this.#chat?.outbox ?? null, live);
    this.userMenu.showState(live);
  }

  #allRooms() {
    const { own, others } = this.#chat?.rooms.sorted ?? { own: [], others: [] };
    return [...own, ...others];
  }

  #showRooms() {
    const chat = this.#chat;
    if (!chat) return;
    this.list.show(chat.rooms.sorted, chat.current);
    this.#showRoom(chat.current);
    const unread = chat.unread;
    this.#badge.hidden = unread === 0;
    this.#badge.textContent = unread > 99 ? '99+' : String(unread);
    this.#favicon.show(unread > 0);
    document.title = `${unread ? `(${unread}) ` : ''}${chat.current?.title ?? 'Chat'}`;
    for (const room of chat.rooms.all) if (!room.unread) this.#parts.notifications.read(room.name);
  }

  /** @param {Room | null} room */
  #showRoom(room) {
    const wasMember = !byId('composer', HTMLFormElement).hidden;
    this.head.show(room, this.#chat?.missing ?? '');
    if (room && wasMember !== room.info.member) this.#showComposer(room);
    if (room) this.composer.rename(placeholderOf(room));
  }

  /** @param {Room | null} room */
  #showComposer(room) {
    if (!room?.info.member) {
      const hadFocus = this.composer.hide();
      if (hadFocus) byId('room-title', HTMLHeadingElement).focus();
      return;
    }
    this.composer.show(this.#drafts?.get(room.name) ?? '', placeholderOf(room));
    if (matchMedia('(hover: hover)').matches) this.composer.focus(); // elsewhere the on-screen keyboard would pop up
  }

  /** To the box one writes in, or to the log where there is none. */
  #write() {
    if (this.composer.isOpen) this.composer.focus();
    else byId('scroller', HTMLDivElement).focus({ preventScroll: true });
  }

  #makeMessages() {
    return new MessageList({
      actions: this.#messageActions(),
      loadOlder: (room) => this.#loadOlder(room),
      loadNewer: async (room) => this.#chat?.histories.newer(room),
      seen: (atLatest) => this.#chat?.sees(atLatest),
      start: { invite: () => this.#openPeople(), copyLink: () => this.#copyRoomLink() },
      write: () => this.#write(),
    });
  }

  /** @returns {import('./message_row.js').RowActions} */
  #messageActions() {
    return {
      reply: (entry) => entry.id && this.composer.startReply(entry.id, `Reply to ${entry.sender.name}: ${firstLine(entry.body)}`),
      copy: (text) => this.#copy(text),
      copyLink: (entry) => this.#copy(location.origin + this.#parts.pathOf(entry.room, entry.id ?? ''), 'Link copied'),
      edit: (entry) => entry.id && this.composer.startEditing({ id: entry.id, body: entry.body }),
      withdraw: (entry) => this.#withdraw(entry),
      retry: (entry) => this.#afterAction(this.#chat?.own.retry(entry.localId)),
      discard: (entry) => this.#afterAction(this.#chat?.own.discard(entry.localId)),
      menu: (opener, entry, at) => this.#menu.open(opener, this.messages.choicesOf(entry), 'Message', at ?? placeOf(opener)),
      person: (user) => this.#showCard(user),
      jump: (id) => this.#jump(id),
      quoted: (id, loaded) => (this.#chat?.current ? this.#chat.quoted.get(this.#chat.current, id, loaded) : undefined),
      isMember: () => Boolean(this.#chat?.current?.info.member),
    };
  }

  /** @param {string} id */
  async #jump(id) {
    if (!this.messages.jumpTo(id)) await this.#chat?.openMessage(id);
  }

  /**
   * @param {string} text
   * @param {string} [done]
   */
  async #copy(text, done = 'Copied') {
    this.#parts.notice((await copyText(text)) ? done : 'The browser does not let this page copy.');
  }

  #copyRoomLink() {
    const room = this.#chat?.current;
    if (room) this.#copy(location.origin + this.#parts.pathOf(room.name), 'Invite link copied');
  }

  /** @param {Room} room */
  async #loadOlder(room) {
    const histories = this.#chat?.histories;
    await (room.history === 'error' ? histories?.newest(room) : histories?.older(room));
  }

  #makeComposer() {
    return new Composer({
      send: (body, replyTo) => this.#send(body, replyTo),
      edit: async (id, body) => (await this.#chat?.edit(id, body)) ?? false,
      draft: (text) => this.#chat?.current && this.#drafts?.set(this.#chat.current.name, text),
      typing: (text) => this.#chat?.current && this.#chat.typing.wrote(this.#chat.current.name, text),
      lastOwn: () => this.#lastOwn(),
      escape: () => this.messages.toLatest(),
    });
  }

  /**
   * @param {string} body
   * @param {string | null} replyTo
   */
  #send(body, replyTo) {
    const room = this.#chat?.current;
    if (!room) return;
    this.#chat?.own.send(room, body, replyTo);
    this.#chat?.typing.sent();
    this.messages.toLatest();
  }

  #lastOwn() {
    const chat = this.#chat;
    const entries = chat?.current?.timeline.entries ?? [];
    const own = entries.filter((entry) => entry.sender.id === chat?.user.id && entry.id && !entry.deletedAt);
    const last = own.at(-1);
    return last?.id ? { id: last.id, body: last.body } : null;
  }

  /** @param {Promise<void> | undefined} action */
  async #afterAction(action) {
    this.#write(); // the button that had the focus goes away
    await action;
  }

  /** @param {Entry} entry */
  async #withdraw(entry) {
    if (!entry.id || !(await confirm('Delete for everyone?', 'Delete', entry.body.slice(0, 400)))) return;
    await this.#chat?.withdraw(entry.id);
    this.#write();
  }

  async #join() {
    const room = this.#chat?.current;
    if (room && (await this.#chat?.join(room))) this.#write();
  }

  async #leave() {
    const room = this.#chat?.current;
    if (!room) return;
    const back = room.info.visibility === 'public' ? '' : ' Someone must invite you to come back.';
    if (!(await confirm(`Leave ${room.title}?${back}`, 'Leave'))) return;
    await this.#chat?.leave(room);
    byId('room-title', HTMLHeadingElement).focus();
  }

  /** @param {HTMLElement} opener */
  #openRoomMenu(opener) {
    const chat = this.#chat;
    const room = chat?.current;
    if (!chat || !room) return;
    this.#menu.open(opener, roomMenu(room, chat.user.id, chat.choices, {
      people: () => this.#openPeople(),
      copyLink: () => this.#copyRoomLink(),
      settings: () => this.settings.open(room),
      leave: () => this.#leave(),
      mute: (muted) => this.#choose('muted', room, muted),
      tell: (told) => this.#tell(room, told),
    }), 'Room menu', rightOf(opener));
  }

  /**
   * @param {'muted' | 'told'} kind
   * @param {Room} room
   * @param {boolean} wanted
   */
  #choose(kind, room, wanted) {
    this.#chat?.choices.set(kind, room.name, wanted);
    this.roomsChanged();
  }

  /**
   * @param {Room} room
   * @param {boolean} told
   */
  async #tell(room, told) {
    if (!told || (await this.#parts.notifications.ask())) this.#choose('told', room, told);
  }

  #openPeople() {
    const chat = this.#chat;
    if (chat?.current) this.people.open(chat.current, chat.user);
  }

  /** @param {import('../net/shapes.js').User} user */
  #showCard(user) {
    this.card.open(user, this.#chat?.user.id ?? '');
  }

  /** @param {import('../net/shapes.js').User} user */
  async #findPerson(user) {
    const room = this.#chat?.current;
    if (!room || room.info.memberCount > SMALL_ENOUGH) return null;
    const { members } = await this.#parts.api.members(room.name);
    return members.find(({ id }) => id === user.id) ?? null;
  }

  /** @param {string} userId */
  #talkTo(userId) {
    this.drawer.close();
    this.#chat?.talkTo(userId);
  }

  #tryNow() {
    this.#chat?.connection.tryNow();
    this.#chat?.outbox.wake();
  }

  /** @param {string} name */
  #openRoom(name) {
    this.drawer.close();
    this.#parts.openRoom(name);
  }

  /** @param {(localId: string) => unknown} run */
  #forFailed(run) {
    for (const { localId } of this.#chat?.outbox.failed ?? []) run(localId);
    this.#write();
  }

  async #deleteAll() {
    const count = this.#chat?.outbox.failed.length ?? 0;
    if (await confirm(`Delete ${count} messages that were not sent?`, 'Delete')) {
      this.#forFailed((id) => this.#chat?.own.discard(id));
    }
  }

  async #signOut() {
    const waiting = this.#chat?.outbox.pending.length ?? 0;
    const rest = waiting
      ? ` ${waiting} ${waiting === 1 ? 'message is' : 'messages are'} not sent yet and will never be sent as anyone else without being asked.`
      : '';
    const guest = this.#chat?.user.id.startsWith('u_') ? ' A guest cannot come back as the same person.' : '';
    if (await confirm(`Sign out?${guest}${rest}`, 'Sign out')) {
      this.#parts.signOut();
    }
  }
}

/** @param {Room} room */
function placeholderOf(room) {
  return `Message ${room.info.visibility === 'public' ? '#' : ''}${room.title}`;
}

/** Within a row, where its text begins. @param {HTMLElement} opener */
function placeOf(opener) {
  const { left, bottom, top } = opener.getBoundingClientRect();
  const row = opener.classList.contains('row');
  return row ? { x: left + 60, y: Math.min(bottom, window.innerHeight - 40) } : { x: left - 180, y: top + 32 };
}

/** @param {HTMLElement} opener */
function rightOf(opener) {
  const { right, bottom } = opener.getBoundingClientRect();
  return { x: right - 230, y: bottom + 4 };
}
