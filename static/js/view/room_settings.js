// Renaming and deleting a room, for its owner.

import { asApiError } from '../net/api_error.js';
import { asSentence, reasonText } from '../outbox/refusal.js';
import { byId, setText } from './dom.js';

/** @typedef {import('../rooms/room.js').Room} Room */

export class RoomSettings {
  #dialog = byId('room-dialog', HTMLDialogElement);
  #form = byId('room-form', HTMLFormElement);
  #title = byId('room-new-title', HTMLInputElement);
  #typed = byId('room-typed-name', HTMLInputElement);
  #name = byId('room-typed-label', HTMLElement);
  #delete = byId('room-delete', HTMLButtonElement);
  #error = byId('room-error', HTMLParagraphElement);
  /** @type {Room | null} */ #room = null;
  #busy = false;
  #on;

  /** @param {{rename: (room: Room, title: string) => Promise<void>, remove: (room: Room) => Promise<void>}} on */
  constructor(on) {
    this.#on = on;
    byId('room-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    // Nobody deletes a room by a slip of the hand.
    this.#typed.addEventListener('input', () => { this.#delete.disabled = this.#typed.value !== this.#room?.name; });
    this.#delete.addEventListener('click', () => this.#do((room) => this.#on.remove(room)));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#do((room) => this.#on.rename(room, this.#title.value.trim()));
    });
  }

  /** @param {Room} room */
  open(room) {
    this.#room = room;
    this.#form.reset();
    this.#title.value = room.info.title ?? '';
    this.#delete.disabled = true;
    setText(this.#name, room.name);
    setText(this.#error, '');
    this.#dialog.showModal();
    this.#title.focus();
  }

  /** @param {(room: Room) => Promise<void>} act */
  async #do(act) {
    if (this.#busy || !this.#room) return;
    this.#busy = true;
    setText(this.#error, '');
    try {
      await act(this.#room);
      this.#dialog.close();
    } catch (error) {
      setText(this.#error, asSentence(reasonText(asApiError(error))));
    }
    this.#busy = false;
  }
}
