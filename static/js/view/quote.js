// The first line of the message that another one answers.

import { button, element } from './dom.js';
import { firstLine } from './format.js';

/** @typedef {import('../net/shapes.js').Message} Message */

/**
 * @param {Pick<Message, 'sender' | 'body' | 'deletedAt'> | null | undefined} message null when it is gone, undefined while it is not known
 * @param {() => void} jump
 */
export function quoteNode(message, jump) {
  const made = button('', 'quote', jump);
  made.tabIndex = -1;
  if (message && !message.deletedAt) {
    made.append(element('span', 'visually-hidden', 'In reply to '));
    made.append(element('bdi', 'quote__name', message.sender.name), element('bdi', 'quote__line', firstLine(message.body)));
  } else {
    made.append(message === undefined ? '…' : 'A message that is gone');
  }
  return made;
}
