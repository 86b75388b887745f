// Who somebody is: name, guest or member of the host, online or last seen, and a button to write to them.

import { fillAvatar } from './avatar.js';
import { agoText } from './days.js';
import { byId, setText } from './dom.js';
import { shortId } from './text.js';

/**
 * @typedef {import('../net/shapes.js').User} User
 * @typedef {import('../net/shapes.js').Member} Member
 */

const GUEST = 'u_'; // the contract's: a host's users begin with h_

export class PersonCard {
  #dialog = byId('person-dialog', HTMLDialogElement);
  #presence = byId('person-presence', HTMLParagraphElement);
  #message = byId('person-message', HTMLButtonElement);
  /** @type {User | null} */
  #user = null;
  #parts;

  /**
   * @param {object} parts
   * @param {(user: User) => Promise<Member | null>} parts.find null where it is not known whether they are here
   * @param {(userId: string) => void} parts.talkTo
   */
  constructor(parts) {
    this.#parts = parts;
    byId('person-close', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#message.addEventListener('click', () => {
      this.#dialog.close();
      if (this.#user) parts.talkTo(this.#user.id);
    });
  }

  /**
   * @param {User} user
   * @param {string} myId
   */
  async open(user, myId) {
    this.#user = user;
    fillAvatar(byId('person-avatar', HTMLSpanElement), user);
    setText(byId('person-name', HTMLElement), user.name);
    const kind = user.id.startsWith(GUEST) ? 'Guest' : 'Signed in by the site';
    setText(byId('person-kind', HTMLParagraphElement), `${kind} · ${shortId(user.id)}`);
    this.#message.hidden = user.id === myId;
    this.#presence.hidden = true;
    this.#dialog.showModal();
    const member = await this.#parts.find(user).catch(() => null);
    if (member && user === this.#user) this.#showPresence(member);
  }

  /** @param {Member} member */
  #showPresence({ online, lastSeenAt }) {
    this.#presence.hidden = false;
    this.#presence.classList.toggle('presence--online', online);
    setText(this.#presence, presenceText(online, lastSeenAt));
  }
}

/**
 * @param {boolean} online
 * @param {string | null} lastSeenAt
 */
export function presenceText(online, lastSeenAt) {
  if (online) return 'Online';
  return lastSeenAt ? `Last seen ${agoText(lastSeenAt, Date.now())}` : 'Offline';
}
