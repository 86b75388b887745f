// The whole page of a signed-in user: puts the views together and connects them with the chat.

import { fillAvatar } from './avatar.js';
import { Banner } from './banner.js';
import { Composer } from './composer.js';
import { confirm } from './confirm.js';
import { byId, setText } from './dom.js';
import { Drawer } from './drawer.js';
import { MessageList } from './message_list.js';
import { NewRoom } from './new_room.js';
import { People } from './people.js';
import { QueueView } from './queue.js';
import { RoomHead } from './room_head.js';
import { RoomList } from './room_list.js';
import { RoomSettings } from './room_settings.js';
import { typingText } from './text.js';

/**
 * @typedef {import('../page/chat.js').Chat} Chat
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../rooms/entry.js').Entry} Entry
 */

/**
 * @typedef {object} ViewParts
 * @property {import('../net/clock.js').Clock} clock
 * @property {(name: string) => string} roomPath
 * @property {(name: string) => void} openRoom
 * @property {() => void} signOut
 * @property {import('../net/api.js').Api} api
 * @property {(userId: string) => import('./drafts.js').Drafts} drafts
 */

export class ChatView {
  #section = byId('chat', HTMLDivElement);
  #badge = byId('drawer-badge', HTMLSpanElement);
  /** @type {Chat | null} */ #chat = null;
  /** @type {import('./drafts.js').Drafts | null} */ #drafts = null;
  #roomsPlanned = false;
  #parts;

  /** @param {ViewParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.drawer = new Drawer();
    this.banner = new Banner(parts.clock, () => this.#tryNow());
    this.list = new RoomList((name) => this.#openRoom(name), parts.roomPath);
    this.head = new RoomHead({ join: () => this.#join(), leave: () => this.#leave(), settings: () => this.#openSettings() });
    this.settings = new RoomSettings({
      rename: async (room, title) => this.#chat?.renameRoom(room, title),
      remove: async (room) => this.#chat?.deleteRoom(room),
    });
    this.messages = this.#makeMessages();
    this.composer = this.#makeComposer();
    this.queue = new QueueView(parts.clock, {
      retryAll: () => this.#forFailed((id) => this.#chat?.own.retry(id)),
      deleteAll: () => this.#deleteAll(),
    });
    this.newRoom = new NewRoom(async (wanted) => {
      await this.#chat?.createRoom(wanted);
      this.drawer.close();
    });
    this.people = new People(parts.api, (userId) => this.#talkTo(userId));
    byId('open-people', HTMLButtonElement).addEventListener('click', () => this.#openPeople());
    byId('sign-out', HTMLButtonElement).addEventListener('click', () => this.#signOut());
  }

  /** @param {Chat} chat */
  show(chat) {
    this.#chat = chat;
    this.#drafts = this.#parts.drafts(chat.user.id);
    byId('user-name', HTMLElement).textContent = chat.user.name;
    fillAvatar(byId('user-avatar', HTMLSpanElement), chat.user);
    this.#section.hidden = false;
  }

  hide() {
    this.#chat = null;
    this.#section.hidden = true;
    this.messages.show(null, '');
  }

  /** @param {Room | null} room */
  opened(room) {
    this.messages.show(room, this.#chat?.user.id ?? '');
    this.#showRoom(room);
    this.#showComposer(room);
    this.#showTypists();
  }

  #showTypists() {
    setText(byId('typing', HTMLSpanElement), typingText(this.#chat?.typists ?? []));
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
    this.queue.show(this.#chat?.outbox ?? null, this.#chat?.connection.state.phase === 'live');
  }

  #showRooms() {
    const chat = this.#chat;
    if (!chat) return;
    this.list.show(chat.rooms.sorted, chat.current);
    this.#showRoom(chat.current);
    const { unread } = chat.rooms;
    this.#badge.hidden = unread === 0;
    this.#badge.textContent = unread > 99 ? '99+' : String(unread);
    document.title = `${unread ? `(${unread}) ` : ''}${chat.current?.title ?? 'Chat'}`;
  }

  /** @param {Room | null} room */
  #showRoom(room) {
    const wasMember = !byId('composer', HTMLFormElement).hidden;
    this.head.show(room, this.#chat?.user.id ?? '');
    if (room && wasMember !== room.info.member) this.#showComposer(room);
    if (room) this.composer.rename(placeholderOf(room));
  }

  /** @param {Room | null} room */
  #showComposer(room) {
    if (!room?.info.member) return this.composer.hide();
    this.composer.show(this.#drafts?.get(room.name) ?? '', placeholderOf(room));
    if (matchMedia('(hover: hover)').matches) this.composer.focus(); // elsewhere the on-screen keyboard would pop up
  }

  #makeMessages() {
    return new MessageList({
      actions: {
        retry: (entry) => this.#afterAction(this.#chat?.own.retry(entry.localId)),
        discard: (entry) => this.#afterAction(this.#chat?.own.discard(entry.localId)),
        edit: (entry) => entry.id && this.composer.startEditing({ id: entry.id, body: entry.body }),
        withdraw: (entry) => this.#withdraw(entry),
      },
      loadOlder: (room) => this.#loadOlder(room),
    });
  }

  /** @param {Room} room */
  async #loadOlder(room) {
    const histories = this.#chat?.histories;
    await (room.history === 'error' ? histories?.newest(room) : histories?.older(room));
  }

  #makeComposer() {
    return new Composer({
      send: (body) => this.#send(body),
      edit: async (id, body) => (await this.#chat?.edit(id, body)) ?? false,
      draft: (text) => this.#chat?.current && this.#drafts?.set(this.#chat.current.name, text),
      typing: (text) => this.#chat?.current && this.#chat.typing.wrote(this.#chat.current.name, text),
      lastOwn: () => this.#lastOwn(),
      escape: () => this.messages.toLatest(),
    });
  }

  /** @param {string} body */
  #send(body) {
    const room = this.#chat?.current;
    if (!room) return;
    this.#chat?.own.send(room, body);
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
    this.composer.focus(); // the button that had the focus goes away
    await action;
  }

  /** @param {Entry} entry */
  async #withdraw(entry) {
    if (!entry.id || !(await confirm('Withdraw this message for everyone?', 'Withdraw'))) return;
    await this.#chat?.withdraw(entry.id);
    this.composer.focus();
  }

  #join() {
    const room = this.#chat?.current;
    if (room) this.#chat?.join(room);
  }

  async #leave() {
    const room = this.#chat?.current;
    if (!room) return;
    const back = room.info.visibility === 'public' ? '' : ' Someone must invite you to come back.';
    if (await confirm(`Leave ${room.title}?${back}`, 'Leave')) await this.#chat?.leave(room);
  }

  #openSettings() {
    if (this.#chat?.current) this.settings.open(this.#chat.current);
  }

  #openPeople() {
    const chat = this.#chat;
    if (chat?.current) this.people.open(chat.current, chat.user);
  }

  /** @param {string} userId */
  #talkTo(userId) {
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
    this.composer.focus();
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
      ? ` ${waiting} ${waiting === 1 ? 'message is' : 'messages are'} not sent yet and will never be sent as anyone else.`
      : '';
    const guest = this.#chat?.user.id.startsWith('u_') ? ' A guest cannot come back as the same person.' : '';
    if (await confirm(`Sign out?${guest}${rest}`, 'Sign out')) {
      this.#parts.signOut();
    }
  }
}

/** @param {Room} room */
function placeholderOf(room) {
  return `Message ${room.title}`;
}
