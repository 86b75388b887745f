// Asks before something that cannot be undone.

import { byId } from './dom.js';

/**
 * @param {string} text
 * @param {string} yes the label of the button that does it
 * @param {string} [quote] what it is about
 * @returns {Promise<boolean>}
 */
export function confirm(text, yes, quote = '') {
  const dialog = byId('confirm-dialog', HTMLDialogElement);
  byId('confirm-text', HTMLParagraphElement).textContent = text;
  byId('confirm-yes', HTMLButtonElement).textContent = yes;
  const quoted = byId('confirm-quote', HTMLQuoteElement);
  quoted.textContent = quote;
  quoted.hidden = !quote;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
