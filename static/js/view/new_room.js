// The form for a new room.

import { asApiError } from '../net/api_error.js';
import { newLocalId } from '../outbox/local_id.js';
import { asSentence, reasonText } from '../outbox/refusal.js';
import { byId } from './dom.js';

/** @typedef {{name: string, title: string, visibility: string}} Wanted */

export class NewRoom {
  #dialog = byId('new-room-dialog', HTMLDialogElement);
  #form = byId('new-room-form', HTMLFormElement);
  #title = byId('new-room-title', HTMLInputElement);
  #name = byId('new-room-name', HTMLInputElement);
  #error = byId('new-room-error', HTMLParagraphElement);
  #nameTyped = false;
  #anyName = '';
  #busy = false;
  #create;
  #made;

  /**
   * @param {(room: Wanted) => Promise<void>} create
   * @param {() => void} made the dialog has gone, and the new room is open
   */
  constructor(create, made) {
    this.#made = made;
    this.#create = create;
    byId('new-room', HTMLButtonElement).addEventListener('click', () => this.open());
    byId('new-room-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#title.addEventListener('input', () => this.#suggestName());
    this.#name.addEventListener('input', () => { this.#nameTyped = this.#name.value !== ''; });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  open() {
    this.#form.reset();
    this.#nameTyped = false;
    this.#anyName = `room-${newLocalId().toLowerCase().replace(/[^a-z0-9]/g, '').slice(0, 6)}`;
    this.#error.textContent = '';
    this.#dialog.showModal();
    this.#title.focus();
  }

  #suggestName() {
    if (this.#nameTyped) return;
    // A title without Latin letters has no address of its own.
    this.#name.value = slug(this.#title.value) || (this.#title.value.trim() && this.#anyName);
  }

  async #submit() {
    if (this.#busy) return;
    this.#busy = true;
    this.#error.textContent = '';
    const visibility = String(new FormData(this.#form).get('visibility'));
    try {
      await this.#create({ name: this.#name.value, title: this.#title.value.trim(), visibility });
      this.#dialog.close();
      this.#made();
    } catch (error) {
      this.#error.textContent = asSentence(reasonText(asApiError(error)));
    }
    this.#busy = false;
  }
}

/**
 * "Jour férié!" → "jour-ferie"
 * @param {string} title
 */
export function slug(title) {
  const plain = title.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '');
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64);
}
