// From "who is this?" to a running chat, and back to the sign-in form.

import { FOREIGN_ANSWER, asApiError } from '../net/api_error.js';
import { backoffMs } from '../net/backoff.js';
import { LeftTexts } from '../outbox/left_texts.js';
import { Chat } from './chat.js';
import { HOME } from './memberships.js';

/** @typedef {import('../net/shapes.js').User} User */

const KEPT_AFTER_MS = 1_000; // some hundred kilobytes each time; what comes later is lost when the page is left, in Chromium

/**
 * @typedef {object} AppParts
 * @property {import('../net/http.js').Http} http
 * @property {import('../net/api.js').Api} api
 * @property {import('./address.js').Address} address
 * @property {import('../outbox/outbox.js').OutboxStorage} storage
 * @property {Record<'stream' | 'poll', import('../net/transport.js').OpenTransport>} transports
 * @property {import('../net/clock.js').Clock} clock
 * @property {() => number} random
 * @property {import('./chat.js').ChatParts['tabs']} tabs
 * @property {(userId: string) => import('../rooms/room_choices.js').RoomChoices} choices
 * @property {(room: import('../rooms/room.js').Room, message: import('../net/shapes.js').Message) => void} unseen
 * @property {(text: string) => void} notice
 * @property {import('./tab_word.js').TabWord} oneUser who is signed in here: one browser has one cookie
 * @property {import('./tab_word.js').TabWord} discarded a message that was deleted before it was sent
 * @property {import('../rooms/kept_rooms.js').KeptRooms} keptRooms
 * @property {() => void} reload
 * @property {() => Promise<boolean>} leaveShell loads the page anew past the service worker, if there is one
 * @property {(text: string) => void} bootText what to show while there is nothing else; '' hides it
 * @property {{show: (note?: string) => void, hide: () => void}} signIn
 * @property {import('../view/chat_view.js').ChatView} view
 */

export class App {
  /** @type {Chat | null} */
  chat = null;
  /** @type {any} */
  #keeping = null;
  #parts;

  /** @param {AppParts} parts */
  constructor(parts) {
    this.#parts = parts;
    parts.oneUser.listen((userId) => this.#otherTab(userId));
    parts.discarded.listen((localId) => void this.chat?.own.dropped(localId));
  }

  async boot() {
    const user = await this.#persist(() => this.#whoAmI(), () => this.#enterOffline());
    try {
      if (user && !this.chat) await this.#enter(user);
    } catch (error) {
      if (!asApiError(error).signedOut) throw error; // the session may have ended in between
      this.chat = null;
    }
    if (!this.chat) {
      this.#forgetKnown();
      this.#parts.signIn.show();
    }
    this.#parts.bootText('');
  }

  /** The session is over: what was kept of it is for nobody. */
  #forgetKnown() {
    const { keptRooms, oneUser } = this.#parts;
    if (oneUser.known) void keptRooms.remove(oneUser.known);
    oneUser.tell('');
  }

  /** @param {string} name */
  async signIn(name) {
    // Another tab may have signed in meanwhile, and the tabs share the cookie.
    const standing = await this.#whoAmI();
    await this.#enter(standing ?? (await this.#parts.api.signIn(name)).user);
  }

  async signOut() {
    try {
      await this.#parts.api.signOut();
    } catch (error) {
      if (!asApiError(error).signedOut) {
        this.#parts.notice('You are still signed in: the server does not answer.');
        return;
      }
    }
    this.#leave('You are signed out.');
  }

  /** @param {string} room */
  goTo(room) {
    if (room === this.chat?.current?.name) return; // its line and its place stay
    this.#parts.address.goTo(room);
    this.chat?.open(room);
  }

  /** The browser's Back or Forward changed the address. */
  async follow() {
    const { address } = this.#parts;
    const name = address.room ?? HOME;
    if (this.chat?.asked !== name) await this.chat?.open(name);
    if (address.message) await this.chat?.openMessage(address.message);
  }

  /** @param {boolean} visible */
  visibilityChanged(visible) {
    this.chat?.setVisible(visible);
    if (!visible) this.keepNow();
    if (visible) this.#wake();
  }

  online() {
    this.#wake();
  }

  #wake() {
    this.chat?.connection.wake();
    this.chat?.outbox.wake();
  }

  /** @returns {Promise<User | null>} */
  async #whoAmI() {
    try {
      return (await this.#parts.api.session()).user;
    } catch (error) {
      if (asApiError(error).signedOut) return null;
      throw error;
    }
  }

  /**
   * The server does not answer: the page shows what it has kept of whoever was here.
   * @returns {Promise<User | null>}
   */
  async #enterOffline() {
    const { keptRooms, oneUser } = this.#parts;
    const kept = oneUser.known ? await keptRooms.load(oneUser.known) : null;
    this.#parts.http.forgetAhead();
    if (kept) await this.#enter(kept.user, kept);
    return kept?.user ?? null;
  }

  /**
   * @param {User} user
   * @param {import('../rooms/kept_rooms.js').Kept} [kept]
   */
  async #enter(user, kept) {
    const { http, signIn, view, address, oneUser } = this.#parts;
    if (oneUser.known !== user.id) this.#forgetKnown();
    oneUser.tell(user.id);
    http.user = user.id;
    const chat = new Chat({ ...this.#parts, choices: this.#parts.choices(user.id), user, forced: address.forcedTransport, on: this.#hooks() });
    this.chat = chat;
    chat.visible = !document.hidden;
    await (kept ? chat.startOffline(kept) : this.#persist(() => chat.start()));
    if (!chat.visible) chat.setVisible(false); // opened in the background
    this.#parts.bootText('');
    signIn.hide();
    view.show(chat);
    await chat.open(address.room ?? HOME);
    if (address.message) await chat.openMessage(address.message);
    await this.#offerLeft(user);
  }

  /** What an earlier guest of this browser wrote and could not send. @param {User} user */
  async #offerLeft(user) {
    const left = new LeftTexts(this.#parts.storage, user.id);
    if (await left.load()) this.#parts.view.left.show(left);
  }

  #hooks() {
    const { view, notice } = this.#parts;
    return {
      otherUser: () => this.#parts.reload(),
      rooms: () => {
        view.roomsChanged();
        this.#keepSoon();
      },
      room: (/** @type {import('../rooms/room.js').Room} */ room) => {
        view.roomChanged(room);
        this.#keepSoon();
      },
      found: (/** @type {string} */ id) => view.showMessage(id),
      unseen: (/** @type {import('../rooms/room.js').Room} */ room, /** @type {import('../net/shapes.js').Message} */ message) => this.#parts.unseen(room, message),
      opened: (/** @type {import('../rooms/room.js').Room | null} */ room) => this.#opened(room),
      outbox: () => view.outboxChanged(),
      connection: (/** @type {import('../net/connection.js').ConnectionState} */ state) => {
        view.banner.show(state);
        view.outboxChanged();
      },
      presence: (/** @type {import('../rooms/room.js').Room} */ room, /** @type {{user: import('../net/shapes.js').User, online: boolean}[]} */ changes) =>
        view.presenceChanged(room, changes),
      signedOut: () => this.#sessionEnded(),
      discarded: this.#parts.discarded.tell,
      notice,
    };
  }

  /** @param {import('../rooms/room.js').Room | null} room */
  #opened(room) {
    const { address, view } = this.#parts;
    if (room && address.room !== room.name) address.goTo(room.name);
    view.opened(room);
  }

  /**
   * The cookie is another user's now: this tab must no longer show or send anything as the old one.
   * @param {string} userId
   */
  #otherTab(userId) {
    if (userId && userId !== this.chat?.user.id) this.#parts.reload();
  }

  #sessionEnded() {
    const waiting = this.chat?.outbox.pending.length ?? 0;
    const messages = `${waiting} pending ${waiting === 1 ? 'message' : 'messages'}`;
    this.#leave(waiting ? `Signed out – sign in to send ${messages}.` : 'Your session has ended. Sign in again.');
  }

  /** Soon, and not for each change. */
  #keepSoon() {
    if (this.#keeping !== null) return;
    this.#keeping = this.#parts.clock.setTimeout(() => this.keepNow(), KEPT_AFTER_MS);
  }

  /** Keeps what there is for a start without the server. */
  keepNow() {
    this.#parts.clock.clearTimeout(this.#keeping);
    this.#keeping = null;
    // Before it has a cursor it has no rooms either: they would take the place of what was kept.
    if (this.chat?.connection.cursor) void this.#parts.keptRooms.save(this.chat.kept);
  }

  /** @param {string} note */
  #leave(note) {
    if (this.chat) void this.#parts.keptRooms.remove(this.chat.user.id);
    this.chat?.stop();
    this.chat = null;
    this.#parts.http.user = null;
    this.#parts.oneUser.tell('');
    this.#parts.view.hide();
    this.#parts.signIn.show(note);
  }

  /**
   * Tries until there is an answer; without one there is nothing to show.
   * @template T
   * @param {() => Promise<T>} action
   * @param {() => Promise<T | null>} [instead] tried once when there is no answer
   * @returns {Promise<T>}
   */
  async #persist(action, instead) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        const { code, status, retryable, retryAfterMs } = asApiError(error);
        if (!retryable) throw error;
        // A proxy's own 502 is an outage like any other.
        if (code === FOREIGN_ANSWER && status < 500 && (await this.#parts.leaveShell())) return new Promise(() => {});
        const found = attempt === 0 && instead ? await instead() : null;
        if (found) return found;
        this.#parts.bootText('The server does not answer. Trying again…');
        await this.#sleep(Math.max(backoffMs(attempt + 1, this.#parts.random), retryAfterMs ?? 0));
      }
    }
  }

  /**
   * @param {number} delayMs
   * @returns {Promise<void>}
   */
  #sleep(delayMs) {
    return new Promise((resolve) => this.#parts.clock.setTimeout(resolve, delayMs));
  }
}
