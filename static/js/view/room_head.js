// The open room's title, who is there, its menu, and the bar for rooms the user only reads.

import { byId, setText } from './dom.js';
import { isThere, sign } from './room_list.js';

/** @typedef {import('../rooms/room.js').Room} Room */

export class RoomHead {
  #sign = byId('room-sign', HTMLSpanElement);
  #title = byId('room-title', HTMLHeadingElement);
  #about = byId('room-about', HTMLParagraphElement);
  #people = byId('open-people', HTMLButtonElement);
  #menu = byId('room-menu', HTMLButtonElement);
  #bar = byId('join-bar', HTMLDivElement);
  #barText = byId('join-text', HTMLSpanElement);
  #shownSign = '';

  /** @param {{join: () => void, menu: (opener: HTMLElement) => void, people: () => void}} on */
  constructor(on) {
    this.#people.addEventListener('click', on.people);
    this.#menu.addEventListener('click', () => on.menu(this.#menu));
    byId('join-room', HTMLButtonElement).addEventListener('click', on.join);
  }

  /**
   * @param {Room | null} room
   * @param {string} missing why there is none
   */
  show(room, missing) {
    this.#people.hidden = this.#menu.hidden = !room;
    this.#bar.hidden = !room || room.info.member;
    this.#showSign(room);
    if (!room) {
      setText(this.#title, missing || 'No such room');
      setText(this.#about, missing ? '' : 'It does not exist, or you may not read it.');
      return;
    }
    setText(this.#title, room.title);
    setText(this.#about, aboutText(room));
    setText(this.#barText, `You are reading ${room.title}. Join to write and to see new messages as they come.`);
  }

  /** @param {Room | null} room */
  #showSign(room) {
    const kind = room && room.info.visibility !== 'direct' ? room.info.visibility : '';
    if (kind === this.#shownSign) return;
    this.#shownSign = kind;
    this.#sign.replaceChildren(...(room && kind ? sign(room).childNodes : []));
  }
}

/** @param {Room} room */
function aboutText(room) {
  const { memberCount, onlineCount = 0, visibility } = room.info;
  if (visibility === 'direct') return isThere(room) ? 'Online' : 'Offline';
  return `${memberCount} ${memberCount === 1 ? 'member' : 'members'} · ${onlineCount} online`;
}
