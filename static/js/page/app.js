// From "who is this?" to a running chat, and back to the sign-in form.

import { asApiError } from '../net/api_error.js';
import { backoffMs } from '../net/backoff.js';
import { Chat, HOME } from './chat.js';

/** @typedef {import('../net/shapes.js').User} User */

/**
 * @typedef {object} AppParts
 * @property {import('../net/api.js').Api} api
 * @property {import('./address.js').Address} address
 * @property {import('../outbox/outbox.js').OutboxStorage} storage
 * @property {Record<'stream' | 'poll', import('../net/transport.js').OpenTransport>} transports
 * @property {import('../net/clock.js').Clock} clock
 * @property {() => number} random
 * @property {import('./chat.js').ChatParts['tabs']} tabs
 * @property {(text: string) => void} notice
 * @property {import('./one_user.js').OneUser} oneUser
 * @property {() => void} reload
 * @property {(text: string) => void} bootText what to show while there is nothing else; '' hides it
 * @property {{show: (note?: string) => void, hide: () => void}} signIn
 * @property {import('../view/chat_view.js').ChatView} view
 */

export class App {
  /** @type {Chat | null} */
  chat = null;
  #parts;

  /** @param {AppParts} parts */
  constructor(parts) {
    this.#parts = parts;
    parts.oneUser.listen((userId) => this.#otherTab(userId));
  }

  async boot() {
    const user = await this.#persist(() => this.#whoAmI());
    try {
      if (user) await this.#enter(user);
    } catch (error) {
      if (!asApiError(error).signedOut) throw error; // the session may have ended in between
      this.chat = null;
    }
    if (!this.chat) this.#parts.signIn.show();
    this.#parts.bootText('');
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
    this.#parts.address.goTo(room);
    this.chat?.open(room);
  }

  /** The browser's Back or Forward changed the address. */
  follow() {
    this.chat?.open(this.#parts.address.room ?? HOME);
  }

  /** @param {boolean} visible */
  visibilityChanged(visible) {
    this.chat?.setVisible(visible);
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

  /** @param {User} user */
  async #enter(user) {
    const { api, signIn, view, address, oneUser } = this.#parts;
    oneUser.tell(user.id);
    api.user = user.id;
    const chat = new Chat({ ...this.#parts, user, forced: address.forcedTransport, on: this.#hooks() });
    this.chat = chat;
    chat.visible = !document.hidden;
    await this.#persist(() => chat.start());
    if (!chat.visible) chat.setVisible(false); // opened in the background
    this.#parts.bootText('');
    signIn.hide();
    view.show(chat);
    await chat.open(address.room ?? HOME);
  }

  #hooks() {
    const { view, notice } = this.#parts;
    return {
      otherUser: () => this.#parts.reload(),
      rooms: () => view.roomsChanged(),
      room: (/** @type {import('../rooms/room.js').Room} */ room) => view.roomChanged(room),
      opened: (/** @type {import('../rooms/room.js').Room | null} */ room) => this.#opened(room),
      outbox: () => view.outboxChanged(),
      connection: (/** @type {import('../net/connection.js').ConnectionState} */ state) => {
        view.banner.show(state);
        view.outboxChanged();
      },
      presence: (/** @type {import('../rooms/room.js').Room} */ room, /** @type {{user: import('../net/shapes.js').User, online: boolean}[]} */ changes) =>
        view.presenceChanged(room, changes),
      signedOut: () => this.#sessionEnded(),
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

  /** @param {string} note */
  #leave(note) {
    this.chat?.stop();
    this.chat = null;
    this.#parts.api.user = null;
    this.#parts.oneUser.tell('');
    this.#parts.view.hide();
    this.#parts.signIn.show(note);
  }

  /**
   * Tries until there is an answer; without one there is nothing to show.
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  async #persist(action) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        const { retryable, retryAfterMs } = asApiError(error);
        if (!retryable) throw error;
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
