// The box for writing messages.

import { byId, setText } from './dom.js';
import { isSendable, roomLeft, sendableText } from './text.js';

/**
 * @typedef {object} ComposerCallbacks
 * @property {(body: string, replyTo: string | null) => void} send
 * @property {(id: string, body: string) => Promise<boolean>} edit
 * @property {(body: string) => void} draft
 * @property {(text: string) => void} typing what the user has written so far
 * @property {() => {id: string, body: string} | null} lastOwn
 * @property {() => void} escape
 */

export class Composer {
  #form = byId('composer', HTMLFormElement);
  #input = byId('composer-input', HTMLTextAreaElement);
  #send = byId('send', HTMLButtonElement);
  #hint = byId('composer-hint', HTMLSpanElement);
  #strip = byId('composing', HTMLDivElement);
  #about = byId('composing-text', HTMLSpanElement);
  /** @type {string | null} */
  #editingId = null;
  /** @type {string | null} */
  #replyTo = null;
  #draft = '';
  // There is no Shift there, and a button to send.
  #touched = matchMedia('(hover: none) and (pointer: coarse)');
  #on;

  /** @param {ComposerCallbacks} on */
  constructor(on) {
    this.#on = on;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener('keydown', (event) => this.#key(event));
    this.#input.addEventListener('input', () => this.#changed());
    byId('cancel-edit', HTMLButtonElement).addEventListener('click', () => this.#cancel());
    new ResizeObserver(() => this.#fitHeight()).observe(this.#form);
  }

  /**
   * @param {string} draft
   * @param {string} placeholder
   */
  show(draft, placeholder) {
    this.#form.hidden = false;
    this.#editingId = this.#replyTo = null;
    this.#showStrip('');
    this.#draft = draft;
    this.#input.placeholder = placeholder;
    this.#set(draft);
  }

  /** @param {string} placeholder */
  rename(placeholder) {
    if (this.#input.placeholder !== placeholder) this.#input.placeholder = placeholder;
  }

  /** @returns {boolean} whether it had the focus */
  hide() {
    const hadFocus = this.#form.contains(document.activeElement);
    this.#form.hidden = true;
    setText(this.#hint, '');
    return hadFocus;
  }

  focus() {
    this.#input.focus();
  }

  /** @param {{id: string, body: string}} message */
  startEditing({ id, body }) {
    if (!this.#editingId) this.#draft = this.#input.value;
    this.#editingId = id;
    this.#replyTo = null;
    this.#showStrip('Editing your message');
    this.#set(body);
    this.focus();
    this.#input.setSelectionRange(body.length, body.length);
  }

  /**
   * @param {string} id
   * @param {string} about whom and what it answers
   */
  startReply(id, about) {
    if (this.#editingId) this.#stopEditing();
    this.#replyTo = id;
    this.#showStrip(about);
    this.focus();
  }

  get isOpen() {
    return !this.#form.hidden;
  }

  #cancel() {
    if (this.#editingId) return this.#stopEditing();
    this.#replyTo = null;
    this.#showStrip('');
    this.focus();
  }

  /** @param {string} about '' hides it */
  #showStrip(about) {
    this.#strip.hidden = !about;
    setText(this.#about, about);
  }

  #stopEditing() {
    this.#editingId = null;
    this.#showStrip('');
    this.#set(this.#draft);
    this.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // An input method's Enter accepts a word; Safari reports it with keyCode 229 and isComposing false.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !this.#touched.matches) {
      event.preventDefault();
      if (!event.repeat) this.#submit();
    } else if (event.key === 'ArrowUp' && this.#input.value === '') {
      this.#editLast(event);
    } else if (event.key === 'Escape') {
      if (this.#editingId || this.#replyTo) this.#cancel();
      else this.#on.escape();
    } else if (event.key === 'End' && this.#input.value === '') {
      this.#on.escape();
    }
  }

  /** @param {KeyboardEvent} event */
  #editLast(event) {
    const last = this.#on.lastOwn();
    if (!last) return;
    event.preventDefault();
    this.startEditing(last);
  }

  #submit() {
    const body = sendableText(this.#input.value);
    if (!isSendable(body)) return;
    if (this.#editingId) {
      this.#submitEdit(this.#editingId, body);
      return;
    }
    // Emptied at once: a second Enter or click finds nothing to send.
    this.#set('');
    this.#on.draft('');
    this.#on.send(body, this.#replyTo);
    this.#replyTo = null;
    this.#showStrip('');
    this.focus();
  }

  /**
   * @param {string} id
   * @param {string} body
   */
  async #submitEdit(id, body) {
    this.#stopEditing();
    const taken = await this.#on.edit(id, body);
    if (!taken && !this.#editingId && !this.#input.value) this.startEditing({ id, body });
  }

  #changed() {
    if (!this.#editingId) {
      this.#on.draft(this.#input.value);
      this.#on.typing(this.#input.value);
    }
    this.#layOut();
  }

  /** @param {string} text */
  #set(text) {
    this.#input.value = text;
    this.#layOut();
  }

  /** As high as its text, at any width and text size; the style sheet has the most. */
  #fitHeight() {
    this.#input.style.height = 'auto';
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }

  #layOut() {
    const body = sendableText(this.#input.value);
    this.#fitHeight();
    const left = roomLeft(body);
    const tooLong = left !== null && left < 0;
    this.#send.disabled = !isSendable(body);
    this.#send.title = tooLong ? 'Too long to send' : body ? 'Send (Enter)' : 'Nothing to send yet';
    this.#hint.classList.toggle('foot__hint--over', tooLong);
    setText(this.#hint, left === null ? '' : tooLong ? `${left} – too long to send` : String(left));
  }
}
