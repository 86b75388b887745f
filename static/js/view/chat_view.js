// The whole page of a signed-in user: puts the views together and connects them with the chat.

import { Banner } from './banner.js';
import { copyText } from './clipboard.js';
import { Composer } from './composer.js';
import { confirm } from './confirm.js';
import { byId, setText } from './dom.js';
import { firstLine } from './format.js';
import { setUpKeyboard, showKeys } from './keyboard.js';
import { LeftTextsView } from './left_texts.js';
import { Menu } from './menu.js';
import { MessageList } from './message_list.js';
import { QueueView } from './queue.js';
import { RoomsView } from './rooms_view.js';
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

export class ChatView {
  #section = byId('chat', HTMLDivElement);
  /** @type {Chat | null} */ #chat = null;
  /** @type {import('./drafts.js').Drafts | null} */ #drafts = null;
  #roomsPlanned = false;
  #menu = new Menu();
  #parts;

  /** @param {ViewParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.banner = new Banner(parts.clock, () => this.#tryNow());
    this.messages = this.#makeMessages();
    this.composer = this.#makeComposer();
    this.queue = new QueueView(parts.clock, {
      retryAll: () => this.#forFailed((id) => this.#chat?.own.retry(id)),
      deleteAll: () => this.#deleteAll(),
    });
    this.left = new LeftTextsView({ copy: (text) => this.#copy(text), send: async (texts) => (await this.#chat?.sendLeft(texts)) ?? 0 });
    this.rooms = new RoomsView({
      ...parts,
      menu: this.#menu,
      chat: () => this.#chat,
      write: () => this.#write(),
      changed: () => this.roomsChanged(),
    });
    this.userMenu = new UserMenu({ menu: this.#menu, notifications: parts.notifications, keys: showKeys, signOut: () => this.#signOut() });
    setUpKeyboard({ find: () => this.#chat && this.rooms.find.open() });
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
    this.rooms.hide();
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
    this.rooms.people.presence(room, changes);
  }

  outboxChanged() {
    const live = this.#chat?.connection.state.phase === 'live';
    this.queue.show(this.#chat?.outbox ?? null, live);
    this.userMenu.showState(live);
  }

  #showRooms() {
    if (!this.#chat) return;
    this.rooms.show();
    this.#showRoom(this.#chat.current);
  }

  /** @param {Room | null} room */
  #showRoom(room) {
    const wasMember = !byId('composer', HTMLFormElement).hidden;
    this.rooms.showHead(room);
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
      start: { invite: () => this.rooms.openPeople(), copyLink: () => this.#chat?.current && this.rooms.copyLink(this.#chat.current.name) },
      write: () => this.#write(),
    });
  }

  /** @returns {import('./message_row.js').RowActions} */
  #messageActions() {
    return {
      reply: (entry) => entry.id && this.composer.startReply(entry.id, `Reply to ${entry.sender.name}: ${firstLine(entry.body)}`),
      copy: (text) => this.#copy(text),
      copyLink: (entry) => this.rooms.copyLink(entry.room, entry.id ?? ''),
      edit: (entry) => entry.id && this.composer.startEditing({ id: entry.id, body: entry.body }),
      withdraw: (entry) => this.#withdraw(entry),
      retry: (entry) => this.#afterAction(this.#chat?.own.retry(entry.localId)),
      discard: (entry) => this.#afterAction(this.#chat?.own.discard(entry.localId)),
      menu: (opener, entry, at) => this.#menu.open(opener, this.messages.choicesOf(entry), 'Message', at ?? placeOf(opener)),
      person: (user) => this.rooms.showCard(user),
      jump: (id) => this.#jump(id),
      quoted: (id, loaded) => (this.#chat?.current ? this.#chat.quoted.get(this.#chat.current, id, loaded) : undefined),
      isMember: () => Boolean(this.#chat?.current?.info.member),
    };
  }

  /** @param {string} id */
  async #jump(id) {
    if (!this.messages.jumpTo(id)) await this.#chat?.openMessage(id);
  }

  /** @param {string} text */
  async #copy(text) {
    this.#parts.notice((await copyText(text)) ? 'Copied' : 'The browser does not let this page copy.');
  }

  /** @param {Room} room */
  async #loadOlder(room) {
    const histories = this.#chat?.histories;
    await (room.history === 'error' ? histories?.newestAndUnread(room) : histories?.older(room));
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

  #tryNow() {
    this.#chat?.connection.tryNow();
    this.#chat?.outbox.wake();
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
