// Who is in the room; writing to one of them; inviting into a private room.

import { asApiError } from '../net/api_error.js';
import { asSentence, reasonText } from '../outbox/refusal.js';
import { avatar } from './avatar.js';
import { confirm } from './confirm.js';
import { button, byId, element, setText } from './dom.js';
import { presenceText } from './person_card.js';
import { folded, repeated, shortId } from './text.js';

/**
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../net/shapes.js').User} User
 * @typedef {import('../net/shapes.js').Member} Member
 */

const MOST_SHOWN = 100; // nobody reads a longer list; the filter finds the rest
export const COMMON_ROOM = 'general'; // where to find people who are not in this room

export class People {
  #dialog = byId('people-dialog', HTMLDialogElement);
  #filter = byId('people-filter', HTMLInputElement);
  #note = byId('people-note', HTMLParagraphElement);
  #list = byId('people-list', HTMLDivElement);
  /** @type {Room | null} */ #room = null;
  /** @type {Member[]} */ #members = [];
  /** @type {Member[]} */ #others = [];
  #myId = '';
  #api;
  #talkTo;

  /**
   * @param {Pick<import('../net/api.js').Api, 'members' | 'invite' | 'remove' | 'handOver'>} api
   * @param {(userId: string) => void} talkTo
   */
  constructor(api, talkTo) {
    this.#api = api;
    this.#talkTo = talkTo;
    this.#filter.addEventListener('input', () => this.#draw());
    byId('people-close', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
  }

  /**
   * @param {Room} room
   * @param {User} me
   */
  async open(room, me) {
    this.#room = room;
    this.#myId = me.id;
    this.#members = this.#others = [];
    this.#filter.value = '';
    this.#list.replaceChildren();
    setText(this.#note, 'Loading…');
    this.#dialog.showModal();
    await this.#load(room);
  }

  /**
   * Who came and went while the list is open; too many to be named: they are loaded again.
   * @param {Room} room
   * @param {{user: User, online: boolean}[]} changes
   */
  presence(room, changes) {
    if (room !== this.#room || !this.#dialog.open) return;
    if (!changes.length) return void this.#load(room);
    const now = new Map(changes.map(({ user, online }) => [user.id, online]));
    const lastSeenAt = new Date().toISOString();
    this.#members = this.#members.map((member) => {
      const online = now.get(member.id) ?? member.online;
      return online === member.online ? member : { ...member, online, lastSeenAt: online ? null : lastSeenAt };
    });
    this.#draw();
  }

  /** @param {Room} room */
  async #load(room) {
    try {
      const [{ members }, others] = await Promise.all([this.#api.members(room.name), this.#strangersTo(room)]);
      if (room !== this.#room) return;
      const ids = new Set(members.map(({ id }) => id));
      this.#members = members;
      this.#others = others.filter(({ id }) => !ids.has(id));
      this.#draw();
    } catch (error) {
      setText(this.#note, asSentence(reasonText(asApiError(error))));
    }
  }

  /** @param {Room} room */
  async #strangersTo({ info }) {
    if (info.visibility !== 'private' || !info.member) return [];
    return (await this.#api.members(COMMON_ROOM)).members;
  }

  #draw() {
    const wanted = folded(this.#filter.value.trim());
    const focused = document.activeElement?.getAttribute('aria-label');
    const fits = (/** @type {User} */ { name }) => folded(name).includes(wanted);
    const members = this.#members.filter(fits);
    const others = this.#others.filter(fits);
    const shared = repeated([...this.#members, ...this.#others].map(({ name }) => name));
    const hidden = Math.max(0, members.length - MOST_SHOWN) + Math.max(0, others.length - MOST_SHOWN);
    setText(this.#note, hidden ? `${hidden} more: type a name to find them.` : members.length + others.length ? '' : 'Nobody by this name.');
    this.#list.replaceChildren(
      ...section('In this room', members.slice(0, MOST_SHOWN).map((user) => this.#member(user, shared))),
      ...section('Not in this room', others.slice(0, MOST_SHOWN).map((user) => this.#stranger(user, shared))),
    );
    if (focused) [...this.#list.querySelectorAll('button')].find((one) => one.getAttribute('aria-label') === focused)?.focus();
  }

  /**
   * @param {Member} user
   * @param {Set<string>} shared names that more than one has
   */
  #member(user, shared) {
    if (user.id === this.#myId) return item(user, shared, presenceOf(user), element('span', 'people__role', 'you'));
    const { visibility, owner } = this.#room?.info ?? {};
    const actions = visibility === 'direct' ? [] : [button('Message', 'button button--small', () => this.#message(user))];
    if (owner === this.#myId && visibility !== 'direct') {
      actions.push(button('Make owner', 'button button--small button--quiet', () => this.#handOver(user)));
      actions.push(button('Remove', 'button button--small button--quiet', () => this.#remove(user)));
    }
    return item(user, shared, presenceOf(user), ...actions);
  }

  /**
   * @param {Member} user
   * @param {Set<string>} shared
   */
  #stranger(user, shared) {
    const invite = button('Invite', 'button button--small', () => this.#invite(user));
    return item(user, shared, presenceOf(user), invite);
  }

  /** @param {User} user */
  #message(user) {
    this.#dialog.close();
    this.#talkTo(user.id);
  }

  /** @param {User} user */
  #invite(user) {
    return this.#do((room) => this.#api.invite(room.name, user.id), `${user.name} is in ${this.#room?.title} now.`);
  }

  /** @param {User} user */
  async #remove(user) {
    if (!(await confirm(`Remove ${user.name} from ${this.#room?.title}?`, 'Remove'))) return;
    await this.#do((room) => this.#api.remove(room.name, user.id), `${user.name} is not in ${this.#room?.title} any more.`);
  }

  /** @param {User} user */
  async #handOver(user) {
    if (!(await confirm(`Make ${user.name} the owner of ${this.#room?.title}? You will not be it any more.`, 'Hand over'))) return;
    await this.#do(async (room) => { room.info = await this.#api.handOver(room.name, user.id); }, `${user.name} is the owner now.`);
  }

  /**
   * @param {(room: Room) => Promise<unknown>} act
   * @param {string} done
   */
  async #do(act, done) {
    const room = this.#room;
    if (!room) return;
    try {
      await act(room);
      await this.#load(room);
      setText(this.#note, done);
      this.#filter.focus();
    } catch (error) {
      setText(this.#note, asSentence(reasonText(asApiError(error))));
    }
  }
}

/**
 * @param {string} heading
 * @param {HTMLElement[]} items
 */
function section(heading, items) {
  return items.length ? [element('h3', 'people__heading', heading), element('ul', '', ...items)] : [];
}

/** @param {Member} member */
function presenceOf({ online, lastSeenAt }) {
  return element('span', `presence presence--${online ? 'online' : 'offline'}`, presenceText(online, lastSeenAt));
}

/**
 * @param {User} user
 * @param {Set<string>} shared
 * @param {HTMLElement[]} actions
 */
function item(user, shared, ...actions) {
  const apart = shared.has(user.name) ? [element('span', 'people__id', shortId(user.id))] : [];
  const called = [user.name, ...apart.map(({ textContent }) => textContent)].join(' ');
  for (const action of actions) if (action instanceof HTMLButtonElement) action.setAttribute('aria-label', `${action.textContent} ${called}`);
  return element('li', 'people__item', avatar(user), element('bdi', 'people__name', user.name), ...apart, ...actions);
}
