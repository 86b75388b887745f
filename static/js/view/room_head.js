// The open room's title, what the user may do with it, and the bar for rooms the user only reads.

import { byId, setText } from './dom.js';

/** @typedef {import('../rooms/room.js').Room} Room */

const KINDS = { public: 'Public', private: 'Private', direct: 'Direct' };

export class RoomHead {
  #title = byId('room-title', HTMLHeadingElement);
  #about = byId('room-about', HTMLParagraphElement);
  #people = byId('open-people', HTMLButtonElement);
  #leave = byId('leave-room', HTMLButtonElement);
  #settings = byId('open-settings', HTMLButtonElement);
  #bar = byId('join-bar', HTMLDivElement);
  #barText = byId('join-text', HTMLSpanElement);

  /** @param {{join: () => void, leave: () => void, settings: () => void}} on */
  constructor(on) {
    this.#settings.addEventListener('click', on.settings);
    this.#leave.addEventListener('click', on.leave);
    byId('join-room', HTMLButtonElement).addEventListener('click', on.join);
  }

  /**
   * @param {Room | null} room
   * @param {string} myId
   */
  show(room, myId) {
    this.#people.hidden = !room;
    this.#leave.hidden = !room?.info.member || room.info.visibility === 'direct';
    this.#settings.hidden = !room?.info.member || room.info.owner !== myId;
    this.#bar.hidden = !room || room.info.member;
    if (!room) {
      setText(this.#title, 'No such room');
      setText(this.#about, 'It does not exist, or you may not read it.');
      return;
    }
    const { memberCount, onlineCount = 0, visibility } = room.info;
    setText(this.#title, room.title);
    setText(this.#about, `${KINDS[visibility]} · ${memberCount} ${memberCount === 1 ? 'member' : 'members'} · ${onlineCount} online`);
    setText(this.#barText, `You are reading ${room.title}. Join to write and to see new messages as they come.`);
  }
}
