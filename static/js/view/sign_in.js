// The sign-in form.

import { asApiError } from '../net/api_error.js';
import { asSentence, reasonText } from '../outbox/refusal.js';
import { byId, setText } from './dom.js';
import { friendlyName } from './friendly_name.js';
import { codePoints } from './text.js';

const REMEMBERED_AS = 'chat-name';
const LONGEST_NAME = 40; // code points, as the server counts them
const COUNTED_FROM = 30;

export class SignIn {
  #section = byId('sign-in', HTMLElement);
  #form = byId('sign-in-form', HTMLFormElement);
  #name = byId('sign-in-name', HTMLInputElement);
  #note = byId('sign-in-note', HTMLParagraphElement);
  #count = byId('sign-in-count', HTMLParagraphElement);
  #error = byId('sign-in-error', HTMLParagraphElement);
  #enter;
  #busy = false;

  /** @param {(name: string) => Promise<void>} enter */
  constructor(enter) {
    this.#enter = enter;
    this.#name.addEventListener('input', () => this.#showCount());
    byId('sign-in-another', HTMLButtonElement).addEventListener('click', () => this.#suggest());
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
    const known = remembered();
    if (known) this.#name.value = known;
    else this.#suggest();
    this.#name.select();
    this.#name.focus();
  }

  hide() {
    this.#section.hidden = true;
  }

  #suggest() {
    this.#name.value = friendlyName(Math.random);
    this.#showCount();
    this.#name.focus();
  }

  #showCount() {
    const left = LONGEST_NAME - nameLength(this.#name.value);
    setText(this.#error, '');
    this.#name.setAttribute('aria-invalid', String(left < 0));
    setText(this.#count, left > LONGEST_NAME - COUNTED_FROM ? '' : left < 0 ? `${letters(-left)} too many` : `${letters(left)} left`);
  }

  async #submit() {
    const name = this.#name.value.trim();
    if (this.#busy || !name || nameLength(name) > LONGEST_NAME) return this.#name.focus();
    this.#busy = true;
    this.#error.textContent = '';
    try {
      await this.#enter(name);
      remember(name);
    } catch (error) {
      const { code } = asApiError(error);
      const reason = asSentence(reasonText(asApiError(error)));
      this.#error.textContent = code === 'invalid_message' ? `${reason} Use letters, digits and ordinary punctuation.` : reason;
      this.#name.focus();
    }
    this.#busy = false;
  }
}

/** @param {number} count */
function letters(count) {
  return count === 1 ? '1 letter' : `${count} letters`;
}

/** As the server counts: composed, trimmed, in code points. @param {string} name */
function nameLength(name) {
  return codePoints(name.normalize('NFKC').trim());
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
