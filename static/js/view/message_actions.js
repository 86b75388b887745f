// What can be done with a message: as a few buttons beside it, and all of it as a menu.

import { timeAndDayText } from './days.js';
import { button, element, icon } from './dom.js';

/** @typedef {import('../rooms/entry.js').Entry} Entry */
/** @typedef {import('./menu.js').Item} Item */

/**
 * @typedef {object} MessageActions
 * @property {(entry: Entry) => void} reply
 * @property {(text: string) => void} copy
 * @property {(entry: Entry) => void} copyLink
 * @property {(entry: Entry) => void} edit
 * @property {(entry: Entry) => void} withdraw
 * @property {(entry: Entry) => void} retry
 * @property {(entry: Entry) => void} discard
 * @property {(opener: HTMLElement, entry: Entry, at?: import('./menu.js').Point) => void} menu
 */

/**
 * @param {Entry} entry
 * @param {boolean} own
 * @param {MessageActions} actions
 * @param {boolean} member whether the user may write here
 * @returns {Item[]}
 */
export function menuOf(entry, own, actions, member) {
  const { id, deletedAt, refusal, body } = entry;
  /** @type {(Item | false)[]} */
  const items = [
    { note: timeAndDayText(entry.createdAt) },
    member && id !== null && !deletedAt && { label: 'Reply', symbol: 'reply', run: () => actions.reply(entry) },
    !deletedAt && { label: 'Copy text', symbol: 'copy', run: () => actions.copy(body) },
    id !== null && { label: 'Copy link', symbol: 'link', run: () => actions.copyLink(entry) },
    own && member && id !== null && !deletedAt && { label: 'Edit', symbol: 'edit', run: () => actions.edit(entry) },
    own && member && id !== null && !deletedAt && { label: 'Delete', symbol: 'delete', danger: true, run: () => actions.withdraw(entry) },
    refusal !== null && { label: 'Retry', symbol: 'again', run: () => actions.retry(entry) },
    id === null && { label: 'Delete', symbol: 'delete', danger: true, run: () => actions.discard(entry) },
  ];
  return items.filter((item) => item !== false);
}

/**
 * The buttons that show by hover and focus; the rest is behind the dots.
 * @param {Entry} entry
 * @param {boolean} own
 * @param {MessageActions} actions
 */
export function toolsOf(entry, own, actions) {
  const tools = element('div', 'message__tools');
  if (entry.id && !entry.deletedAt) {
    tools.append(tool('Reply', 'reply', () => actions.reply(entry)), tool('Copy text', 'copy', () => actions.copy(entry.body)));
    if (own) tools.append(tool('Edit', 'edit', () => actions.edit(entry)));
  }
  const more = tool('More', 'dots', () => actions.menu(more, entry));
  more.setAttribute('aria-haspopup', 'menu');
  tools.append(more);
  return tools;
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
  made.tabIndex = -1; // the log is one tab stop; from a message, Enter opens its menu
  made.append(icon(symbol));
  return made;
}
