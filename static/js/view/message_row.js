// One message as a row. The row is made once and then only updated, so that nothing jumps.

import { avatar } from './avatar.js';
import { fullTimeText, timeText } from './days.js';
import { button, element, icon, setText } from './dom.js';
import { isEmojiAlone, isLong } from './format.js';
import { formatted } from './formatted.js';
import { menuOf, toolsOf } from './message_actions.js';
import { quoteNode } from './quote.js';
import { shortId } from './text.js';

/** @typedef {import('../rooms/entry.js').Entry} Entry */
/** @typedef {import('../net/shapes.js').User} User */

/**
 * What a row may do; the list hands it in.
 * @typedef {import('./message_actions.js').MessageActions & {
 *   person: (user: User) => void,
 *   jump: (id: string) => void,
 *   quoted: (id: string, loaded: () => void) => Parameters<typeof quoteNode>[0],
 *   isMember: () => boolean,
 * }} RowActions
 */

/**
 * What a row shows besides its message, depending on its neighbours.
 * @typedef {{head: boolean, last: boolean, day: string, unreadLine: boolean, seenBy: string}} Surroundings
 */

/** @type {Record<Entry['status'], string>} */
const STATUS_TEXTS = { sending: 'Sending', sent: 'Sent', delivered: 'Delivered', failed: 'Not sent' };

export class MessageRow {
  #entry;
  #own;
  #actions;
  #revision = -1;
  #unfolded = false;
  /** @type {Surroundings | null} */
  #surroundings = null;
  #body = element('span', 'message__body');
  #edited = element('span', 'message__edited');
  #text = element('div', 'message__text', this.#body, this.#edited);
  #content = element('div', 'message__content', this.#text);
  #status = element('span', 'message__status');
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
    this.message = element('div', 'message', this.#content);
    if (own) this.message.append(this.#status);
    this.#status.setAttribute('role', 'img');
    this.node = element('article', 'row', this.message);
    this.node.tabIndex = -1; // the log's arrow keys go from row to row
    this.node.dataset.localId = entry.localId;
    // A hundred and fifty rows are there, and one of them is pointed at.
    for (const kind of ['pointerenter', 'focusin']) this.node.addEventListener(kind, () => this.#showTools());
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

  /** @param {import('./menu.js').Point} [at] */
  openMenu(at) {
    this.#actions.menu(this.node, this.#entry, at);
  }

  /** Of the menu: what can be done now. */
  get choices() {
    return menuOf(this.#entry, this.#own, this.#actions, this.#actions.isMember());
  }

  #showEntry() {
    const { id, status, deletedAt, editedAt } = this.#entry;
    this.node.dataset.status = status;
    if (id) this.node.dataset.id = id;
    this.message.classList.toggle('message--withdrawn', Boolean(deletedAt));
    this.message.classList.toggle('message--growing', this.#entry.growing);
    this.#showBody();
    this.#showQuote();
    setText(this.#edited, editedAt && !deletedAt ? 'edited' : '');
    if (this.#own) this.#showStatus(status, Boolean(deletedAt));
    this.#showFailure();
    if (this.message.dataset.tools) this.#showTools();
  }

  #showBody() {
    const { deletedAt } = this.#entry;
    const body = deletedAt ? 'message deleted' : this.#entry.body;
    if (body === this.#shownBody) return;
    this.#shownBody = body;
    this.message.classList.toggle('message--emoji', !deletedAt && isEmojiAlone(body));
    this.#body.replaceChildren(...(deletedAt ? [body] : formatted(body, this.#actions.copy)));
    this.#fold(!deletedAt && !this.#entry.growing && isLong(body));
  }

  /** @param {boolean} long */
  #fold(long) {
    this.#content.querySelector('.message__unfold')?.remove();
    this.#text.classList.toggle('message__text--folded', long && !this.#unfolded);
    if (!long) return;
    const label = this.#unfolded ? 'Show less' : 'Show all';
    this.#text.after(button(label, 'button button--small message__unfold', () => {
      this.#unfolded = !this.#unfolded;
      this.#fold(true);
    }));
  }

  #showQuote() {
    this.#content.querySelector('.quote')?.remove();
    const { data, deletedAt } = this.#entry;
    const replyTo = deletedAt ? null : data?.replyTo;
    if (typeof replyTo !== 'string') return;
    const message = this.#actions.quoted(replyTo, () => this.#showQuote());
    this.#text.before(quoteNode(message, () => this.#actions.jump(replyTo)));
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
    const { id, deletedAt } = this.#entry;
    const wanted = deletedAt ? 'deleted' : id ? 'stored' : 'unsent';
    if (this.message.dataset.tools === wanted) return;
    this.message.dataset.tools = wanted;
    this.message.querySelector('.message__tools')?.remove();
    this.message.append(toolsOf(this.#entry, this.#own, this.#actions));
  }

  /** @param {Surroundings} surroundings */
  #showSurroundings({ head, last, day, unreadLine, seenBy }) {
    this.message.querySelector('.message__head')?.remove();
    this.message.querySelector('.message__aside')?.remove();
    this.message.classList.toggle('message--head', head);
    this.message.classList.toggle('message--last', last);
    this.message.prepend(this.#aside(head));
    if (head) this.#content.prepend(this.#head());
    this.#content.querySelector('.message__seen')?.remove();
    if (seenBy) this.#content.append(element('div', 'message__seen', seenBy));
    for (const line of this.node.querySelectorAll('.divider')) line.remove();
    if (unreadLine) this.node.prepend(divider('New messages', 'divider--unread'));
    if (day) this.node.prepend(divider(day, ''));
  }

  #head() {
    const { sender } = this.#entry;
    const name = element('button', 'message__name', element('bdi', '', sender.name));
    name.type = 'button';
    name.tabIndex = -1;
    name.title = `${sender.name} (${shortId(sender.id)})`; // another may be called so
    name.addEventListener('click', () => this.#actions.person(sender));
    return element('div', 'message__head', name, this.#time());
  }

  /** @param {boolean} head */
  #aside(head) {
    if (!head) return element('div', 'message__aside', this.#time());
    const picture = avatar(this.#entry.sender);
    picture.addEventListener('click', () => this.#actions.person(this.#entry.sender));
    return element('div', 'message__aside', picture);
  }

  #time() {
    const time = element('time', 'message__time', timeText(this.#entry.createdAt));
    time.dateTime = this.#entry.createdAt;
    time.title = fullTimeText(this.#entry.createdAt);
    return time;
  }
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
  return a !== null && a.head === b.head && a.last === b.last && a.day === b.day && a.unreadLine === b.unreadLine && a.seenBy === b.seenBy;
}
