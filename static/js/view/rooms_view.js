// Everything about rooms that is not their messages: the sidebar, the head of the open room, their menus and dialogs.

import { Browse } from './browse.js';
import { copyText } from './clipboard.js';
import { confirm } from './confirm.js';
import { byId } from './dom.js';
import { Drawer } from './drawer.js';
import { Favicon } from './favicon.js';
import { Find } from './find.js';
import { NewRoom } from './new_room.js';
import { COMMON_ROOM, People } from './people.js';
import { PersonCard } from './person_card.js';
import { RoomHead } from './room_head.js';
import { RoomList } from './room_list.js';
import { roomMenu } from './room_menu.js';
import { RoomSettings } from './room_settings.js';

/**
 * @typedef {import('../page/chat.js').Chat} Chat
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../net/shapes.js').User} User
 */

/**
 * @typedef {object} RoomsParts
 * @property {import('../net/clock.js').Clock} clock
 * @property {import('../net/api.js').Api} api
 * @property {import('./menu.js').Menu} menu
 * @property {import('./notifications.js').Notifications} notifications
 * @property {(room: string, message?: string) => string} pathOf
 * @property {(name: string) => void} openRoom
 * @property {(text: string) => void} notice
 * @property {() => Chat | null} chat
 * @property {() => void} write to the box one writes in
 * @property {() => void} changed what is shown of the rooms is out of date
 */

const SMALL_ENOUGH = 1000; // members: one page, to find out whether somebody is there

export class RoomsView {
  #badge = byId('drawer-badge', HTMLSpanElement);
  #drawer = new Drawer();
  #favicon = new Favicon();
  #parts;

  /** @param {RoomsParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.list = new RoomList({ open: (name) => this.#open(name), path: parts.pathOf, isMuted: (name) => Boolean(this.#chat?.choices.isMuted(name)) });
    this.head = new RoomHead({ join: () => this.#join(), menu: (opener) => this.#openMenu(opener), people: () => this.openPeople() });
    this.settings = new RoomSettings({
      rename: async (room, title) => this.#chat?.memberships.rename(room, title),
      remove: async (room) => this.#chat?.memberships.delete(room),
    });
    this.newRoom = new NewRoom(async (wanted) => {
      await this.#chat?.memberships.create(wanted);
      this.#drawer.close();
    }, parts.write);
    this.browse = this.#makeBrowse();
    this.find = this.#makeFind(parts);
    this.card = new PersonCard({ find: (user) => this.#findPerson(user), talkTo: (userId) => this.#talkTo(userId) });
    this.people = new People(parts.api, (userId) => this.#talkTo(userId));
  }

  get #chat() {
    return this.#parts.chat();
  }

  /** Titles, counts and the list, as they are now. */
  show() {
    const chat = this.#chat;
    if (!chat) return;
    this.list.show(chat.rooms.sorted, chat.current);
    const { unread } = chat;
    this.#badge.hidden = unread === 0;
    this.#badge.textContent = unread > 99 ? '99+' : String(unread);
    this.#favicon.show(unread > 0);
    document.title = `${unread ? `(${unread}) ` : ''}${chat.current?.title ?? 'Chat'}`;
    for (const room of chat.rooms.all) if (!room.unread) this.#parts.notifications.read(room.name);
  }

  hide() {
    this.#favicon.show(false);
    document.title = 'Chat';
  }

  /** @param {Room | null} room the open one */
  showHead(room) {
    this.head.show(room, this.#chat?.missing ?? '');
  }

  /** @param {User} user */
  showCard(user) {
    this.card.open(user, this.#chat?.user.id ?? '');
  }

  openPeople() {
    const chat = this.#chat;
    if (chat?.current) this.people.open(chat.current, chat.user);
  }

  /**
   * The address of a room, or of one of its messages, into the clipboard.
   * @param {string} room
   * @param {string} [message]
   */
  async copyLink(room, message) {
    const copied = await copyText(location.origin + this.#parts.pathOf(room, message));
    const done = message ? 'Link copied' : 'Invite link copied';
    this.#parts.notice(copied ? done : 'The browser does not let this page copy.');
  }

  #makeBrowse() {
    return new Browse({
      rooms: () => this.#all().filter(({ info }) => info.visibility === 'public'),
      hasMore: () => Boolean(this.#chat?.directory.hasMore),
      loadMore: async () => this.#chat?.directory.loadMore(),
      open: (name) => this.#open(name),
      join: async (room) => (await this.#chat?.memberships.join(room)) ?? false,
      create: () => this.newRoom.open(),
    });
  }

  /** @param {RoomsParts} parts */
  #makeFind({ clock, api }) {
    return new Find({
      clock,
      rooms: () => this.#all(),
      people: async () => (await api.members(COMMON_ROOM)).members,
      me: () => this.#chat?.user.id ?? '',
      openRoom: (name) => this.#open(name),
      talkTo: (userId) => this.#talkTo(userId),
    });
  }

  #all() {
    const { own, others } = this.#chat?.rooms.sorted ?? { own: [], others: [] };
    return [...own, ...others];
  }

  /** @param {string} name */
  #open(name) {
    this.#drawer.close();
    this.#parts.openRoom(name);
  }

  /** @param {string} userId */
  #talkTo(userId) {
    this.#drawer.close();
    this.#chat?.memberships.talkTo(userId);
  }

  async #join() {
    const room = this.#chat?.current;
    if (room && (await this.#chat?.memberships.join(room))) this.#parts.write();
  }

  async #leave() {
    const room = this.#chat?.current;
    if (!room) return;
    const back = room.info.visibility === 'public' ? '' : ' Someone must invite you to come back.';
    if (!(await confirm(`Leave ${room.title}?${back}`, 'Leave'))) return;
    await this.#chat?.memberships.leave(room);
    byId('room-title', HTMLHeadingElement).focus();
  }

  /** @param {HTMLElement} opener */
  #openMenu(opener) {
    const chat = this.#chat;
    const room = chat?.current;
    if (!chat || !room) return;
    this.#parts.menu.open(opener, roomMenu(room, chat.user.id, chat.choices, {
      people: () => this.openPeople(),
      copyLink: () => this.copyLink(room.name),
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
    this.#parts.changed();
  }

  /**
   * @param {Room} room
   * @param {boolean} told
   */
  async #tell(room, told) {
    if (!told || (await this.#parts.notifications.ask())) this.#choose('told', room, told);
  }

  /** @param {User} user */
  async #findPerson(user) {
    const room = this.#chat?.current;
    if (!room || room.info.memberCount > SMALL_ENOUGH) return null;
    const { members } = await this.#parts.api.members(room.name);
    return members.find(({ id }) => id === user.id) ?? null;
  }
}

/** @param {HTMLElement} opener */
function rightOf(opener) {
  const { right, bottom } = opener.getBoundingClientRect();
  return { x: right - 230, y: bottom + 4 };
}
