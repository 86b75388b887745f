// A short notice that goes away by itself.

import { byId } from './dom.js';

const SHOWN_MS = 6_000; // time to read two lines at leisure

/** @param {import('../net/clock.js').Clock} clock */
export function makeToast(clock) {
  const toast = byId('toast', HTMLParagraphElement);
  /** @type {any} */
  let timer = null;
  return (/** @type {string} */ text) => {
    clock.clearTimeout(timer);
    toast.textContent = text;
    toast.hidden = false;
    timer = clock.setTimeout(() => { toast.hidden = true; }, SHOWN_MS);
  };
}
