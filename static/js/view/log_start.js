// What stands above the first message: the beginning of the room, or the way to older ones.

import { button, byId, element, setText } from './dom.js';

/** @typedef {import('../rooms/room.js').Room} Room */

/** @type {Record<Room['history'], string>} */
const TEXTS = { none: '', loading: 'Loading…', ready: '', error: 'The messages could not be loaded.' };

export class LogStart {
  #note = byId('history-note', HTMLParagraphElement);
  #start = byId('room-start', HTMLDivElement);
  #loadOlder = byId('load-older', HTMLButtonElement);
  #shown = '';
  #on;

  /** @param {{older: () => void, invite: () => void, copyLink: () => void}} on */
  constructor(on) {
    this.#on = on;
    this.#loadOlder.addEventListener('click', on.older);
  }

  /**
   * @param {Room} room
   * @param {boolean} atFirst whether the first row is the first message that is here
   */
  show(room, atFirst) {
    const atBeginning = atFirst && room.history === 'ready' && !room.shown.hasMore;
    setText(this.#note, atBeginning ? '' : TEXTS[room.history]);
    this.#hideButton(atBeginning || room.history === 'loading' || room.history === 'none');
    setText(this.#loadOlder, room.history === 'error' ? 'Try again' : 'Load older messages');
    this.#start.hidden = !atBeginning;
    if (atBeginning) this.#showBeginning(room);
  }

  /** Whoever pressed it must not lose the focus with it. @param {boolean} hidden */
  #hideButton(hidden) {
    if (hidden && document.activeElement === this.#loadOlder) byId('scroller', HTMLDivElement).focus({ preventScroll: true });
    this.#loadOlder.hidden = hidden;
  }

  /** @param {Room} room */
  #showBeginning(room) {
    const { visibility, member } = room.info;
    const empty = room.timeline.entries.length === 0;
    const state = JSON.stringify([room.name, room.title, visibility, member, empty]);
    if (state === this.#shown) return;
    this.#shown = state;
    const sentence = `This is the beginning of ${visibility === 'direct' ? `your conversation with ${room.title}` : `#${room.title}`}.`;
    this.#start.replaceChildren(
      element('p', 'room-start__title', sentence),
      element('p', '', aboutText(visibility, empty)),
      ...(member && visibility !== 'direct' ? [this.#actions(visibility)] : []),
    );
  }

  /** @param {Room['info']['visibility']} visibility */
  #actions(visibility) {
    const invite = button(visibility === 'private' ? 'Invite people' : 'See who is here', 'button button--small', this.#on.invite);
    const link = button('Copy invite link', 'button button--small', this.#on.copyLink);
    return element('div', 'room-start__actions', invite, ...(visibility === 'public' ? [link] : []));
  }
}

/**
 * @param {Room['info']['visibility']} visibility
 * @param {boolean} empty
 */
function aboutText(visibility, empty) {
  if (visibility === 'direct') return 'Just the two of you.';
  const who = visibility === 'public' ? 'Everyone who is signed in can read and join it.' : 'Only people who are invited can read it.';
  return empty ? `${who} Nothing has been said yet.` : who;
}
