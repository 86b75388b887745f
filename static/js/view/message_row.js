// One message as a row. The row is made once and then only updated, so that nothing jumps.

import { avatar } from './avatar.js';
import { fullTimeText, timeText } from './days.js';
import { button, element, icon, setText } from './dom.js';
import { shortId, splitLinks } from './text.js';

/** @typedef {import('../rooms/entry.js').Entry} Entry */

/**
 * @typedef {object} RowActions
 * @property {(entry: Entry) => void} retry
 * @property {(entry: Entry) => void} discard
 * @property {(entry: Entry) => void} edit
 * @property {(entry: Entry) => void} withdraw
 */

/**
 * What a row shows besides its message, depending on its neighbours.
 * @typedef {{head: boolean, day: string, unreadLine: boolean, seenBy: string}} Surroundings
 */

/** @type {Record<Entry['status'], string>} */
const STATUS_TEXTS = { sending: 'Sending', sent: 'Sent', delivered: 'Delivered', failed: 'Not sent' };

export class MessageRow {
  #entry;
  #own;
  #actions;
  #revision = -1;
  /** @type {Surroundings | null} */
  #surroundings = null;
  #body = element('span', 'message__body');
  #edited = element('span', 'message__edited');
  #status = element('span', 'message__status');
  #text = element('div', 'message__text', this.#body, element('bdi', 'message__meta', this.#edited, this.#status));
  #content = element('div', 'message__content', this.#text);
  #shownBody = '';

  /**
   * @param {Entry} entry
   * @param {boolean} own
   * @param {RowActions} actions
   */
  constructor(entry, own, actions) {
    this.#entry = entry;
    this.#own = own;
    this.#actions = actions;
    this.#text.dir = 'auto';
    this.#status.setAttribute('role', 'img');
    this.message = element('div', 'message', this.#content);
    this.node = element('article', 'row', this.message);
    this.node.dataset.localId = entry.localId;
  }

  get entry() {
    return this.#entry;
  }

  /** @param {Surroundings} surroundings */
  update(surroundings) {
    const changed = this.#revision !== this.#entry.revision;
    if (changed) this.#showEntry();
    if (changed || !same(this.#surroundings, surroundings)) this.#showSurroundings(surroundings);
    this.#revision = this.#entry.revision;
    this.#surroundings = surroundings;
  }

  #showEntry() {
    const { id, status, deletedAt, editedAt } = this.#entry;
    this.node.dataset.status = status;
    if (id) this.node.dataset.id = id;
    this.message.classList.toggle('message--withdrawn', Boolean(deletedAt));
    this.message.classList.toggle('message--growing', this.#entry.growing);
    this.#showBody();
    setText(this.#edited, editedAt && !deletedAt ? 'edited' : '');
    if (this.#own) this.#showStatus(status, Boolean(deletedAt));
    this.#showFailure();
    this.#showTools();
  }

  #showBody() {
    const body = this.#entry.deletedAt ? 'message withdrawn' : this.#entry.body;
    if (body === this.#shownBody) return;
    this.#shownBody = body;
    this.#body.replaceChildren(...(this.#entry.deletedAt ? [body] : splitLinks(body).map(piece)));
  }

  /**
   * @param {Entry['status']} status
   * @param {boolean} withdrawn
   */
  #showStatus(status, withdrawn) {
    this.#status.hidden = withdrawn;
    if (this.#status.dataset.status === status) return;
    this.#status.dataset.status = status;
    this.#status.setAttribute('aria-label', STATUS_TEXTS[status]);
    this.#status.title = STATUS_TEXTS[status];
    this.#status.replaceChildren(icon(status));
  }

  #showFailure() {
    const { refusal } = this.#entry;
    this.#content.querySelector('.message__failure')?.remove();
    if (!refusal) return;
    const text = element('span', '', `Not sent – ${refusal.text}`);
    text.setAttribute('role', 'alert');
    const choices = element('span', '',
      button('Retry', 'button button--small', () => this.#actions.retry(this.#entry)),
      button('Delete', 'button button--small', () => this.#actions.discard(this.#entry)));
    this.#content.append(element('div', 'message__failure', text, choices));
  }

  #showTools() {
    const { id, refusal, deletedAt } = this.#entry;
    const wanted = !this.#own || refusal || deletedAt ? '' : id ? 'stored' : 'unsent';
    const tools = this.message.querySelector('.message__tools');
    if (this.message.dataset.tools === wanted) return;
    this.message.dataset.tools = wanted;
    tools?.remove();
    if (wanted) this.message.append(this.#makeTools(wanted));
  }

  /** @param {string} kind */
  #makeTools(kind) {
    const tools = element('div', 'message__tools');
    if (kind === 'stored') {
      tools.append(tool('Edit', 'edit', () => this.#actions.edit(this.#entry)));
      tools.append(tool('Withdraw', 'delete', () => this.#actions.withdraw(this.#entry)));
    } else {
      tools.append(tool('Delete', 'delete', () => this.#actions.discard(this.#entry)));
    }
    return tools;
  }

  /** @param {Surroundings} surroundings */
  #showSurroundings({ head, day, unreadLine, seenBy }) {
    this.message.querySelector('.message__head')?.remove();
    this.message.querySelector('.message__aside')?.remove();
    this.message.classList.toggle('message--head', head);
    this.message.prepend(this.#aside(head));
    if (head) this.#content.prepend(this.#head());
    this.#content.querySelector('.message__seen')?.remove();
    if (seenBy) this.#content.append(element('div', 'message__seen', seenBy));
    for (const line of this.node.querySelectorAll('.divider')) line.remove();
    if (unreadLine) this.node.prepend(divider('New messages', 'divider--unread'));
    if (day) this.node.prepend(divider(day, ''));
  }

  #head() {
    const { id, name: called } = this.#entry.sender;
    const name = element('bdi', 'message__name', called);
    name.title = `${called} (${shortId(id)})`; // another may be called so
    return element('div', 'message__head', name, this.#time());
  }

  /** @param {boolean} head */
  #aside(head) {
    return element('div', 'message__aside', head ? avatar(this.#entry.sender) : this.#time());
  }

  #time() {
    const time = element('time', 'message__time', timeText(this.#entry.createdAt));
    time.dateTime = this.#entry.createdAt;
    time.title = fullTimeText(this.#entry.createdAt);
    return time;
  }
}

/** @param {{text: string, href: string | null}} part */
function piece({ text, href }) {
  if (!href) return document.createTextNode(text);
  const link = element('a', '', text);
  link.href = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  return link;
}

/**
 * @param {string} label
 * @param {string} symbol
 * @param {() => void} run
 */
function tool(label, symbol, run) {
  const made = button('', 'icon-button icon-button--small', run);
  made.setAttribute('aria-label', label);
  made.title = label;
  made.append(icon(symbol));
  return made;
}

/**
 * @param {string} text
 * @param {string} kind
 */
function divider(text, kind) {
  return element('div', `divider ${kind}`.trim(), element('span', '', text));
}

/**
 * @param {Surroundings | null} a
 * @param {Surroundings} b
 */
function same(a, b) {
  return a !== null && a.head === b.head && a.day === b.day && a.unreadLine === b.unreadLine && a.seenBy === b.seenBy;
}
