// Offers what the guest before wrote and could not send.

import { byId, element, setText } from './dom.js';

/** @typedef {import('../outbox/left_texts.js').LeftTexts} LeftTexts */

export class LeftTextsView {
  #dialog = byId('left-dialog', HTMLDialogElement);
  #heading = byId('left-heading', HTMLHeadingElement);
  #list = byId('left-list', HTMLUListElement);
  #note = byId('left-note', HTMLParagraphElement);
  /** @type {LeftTexts | null} */
  #texts = null;
  #on;

  /** @param {{copy: (text: string) => void, send: (texts: LeftTexts) => Promise<number>}} on */
  constructor(on) {
    this.#on = on;
    byId('left-copy', HTMLButtonElement).addEventListener('click', () => on.copy(this.#texts?.text ?? ''));
    byId('left-send', HTMLButtonElement).addEventListener('click', () => this.#send());
    byId('left-discard', HTMLButtonElement).addEventListener('click', () => this.#discard());
  }

  /** @param {LeftTexts} texts */
  show(texts) {
    this.#texts = texts;
    setText(this.#note, '');
    this.#draw();
    this.#dialog.showModal();
  }

  #draw() {
    const items = this.#texts?.items ?? [];
    setText(this.#heading, `${items.length} unsent ${items.length === 1 ? 'message' : 'messages'} of the guest before`);
    this.#list.replaceChildren(...items.map(({ room, body }) => {
      const line = element('li', '', element('bdi', '', body), element('span', 'field-help', ` in ${room}`));
      line.dir = 'auto';
      return line;
    }));
  }

  async #send() {
    if (!this.#texts) return;
    const left = await this.#on.send(this.#texts);
    if (!left) return this.#dialog.close();
    this.#draw();
    setText(this.#note, 'You are not in the rooms of these. Copy them, or discard them.');
  }

  async #discard() {
    await this.#texts?.discard();
    this.#dialog.close();
  }
}
