// The sign-in form.

import { asApiError } from '../net/api_error.js';
import { asSentence, reasonText } from '../outbox/refusal.js';
import { byId } from './dom.js';

const REMEMBERED_AS = 'chat-name';

export class SignIn {
  #section = byId('sign-in', HTMLElement);
  #form = byId('sign-in-form', HTMLFormElement);
  #name = byId('sign-in-name', HTMLInputElement);
  #note = byId('sign-in-note', HTMLParagraphElement);
  #error = byId('sign-in-error', HTMLParagraphElement);
  #enter;
  #busy = false;

  /** @param {(name: string) => Promise<void>} enter */
  constructor(enter) {
    this.#enter = enter;
    this.#name.value = remembered() ?? '';
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {string} [note] */
  show(note = 'Choose a name that others will see.') {
    this.#note.textContent = note;
    this.#error.textContent = '';
    this.#section.hidden = false;
    this.#name.focus();
  }

  hide() {
    this.#section.hidden = true;
  }

  async #submit() {
    const name = this.#name.value.trim();
    if (this.#busy || !name) return;
    this.#busy = true;
    this.#error.textContent = '';
    try {
      await this.#enter(name);
      remember(name);
    } catch (error) {
      this.#error.textContent = asSentence(reasonText(asApiError(error)));
    }
    this.#busy = false;
  }
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED_AS);
  } catch {
    return null;
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(REMEMBERED_AS, name);
  } catch {
    // Then it is typed again next time.
  }
}
