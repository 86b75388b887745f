// Keys that work everywhere on the page.

import { byId } from './dom.js';

const REGIONS = ['rooms', 'room-head', 'scroller', 'join-room', 'composer-input'];

/** @param {{find: () => void}} on */
export function setUpKeyboard(on) {
  document.addEventListener('keydown', (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (event.key === 'F6') focusNextRegion(event.shiftKey ? -1 : 1);
    else if (command && event.key.toLowerCase() === 'k' && !event.shiftKey) on.find();
    else if ((command && event.key === '/') || (event.key === '?' && !isWriting(event.target))) showKeys();
    else return;
    event.preventDefault();
  });
  // A file that is dropped beside a field would take the place of the page.
  for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => {
    if (!isWriting(event.target) || [.../** @type {DragEvent} */ (event).dataTransfer?.types ?? []].includes('Files')) event.preventDefault();
  });
}

export function showKeys() {
  const keys = byId('shortcuts-dialog', HTMLDialogElement);
  if (!keys.open && !document.querySelector('dialog[open]')) keys.showModal();
}

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/** @param {number} step */
function focusNextRegion(step) {
  const regions = REGIONS.map((id) => /** @type {HTMLElement} */ (document.getElementById(id)))
    .filter((region) => region.offsetParent !== null && !region.closest('[inert]'));
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + step + regions.length) % regions.length];
  firstIn(next)?.focus();
}

/** @param {HTMLElement | undefined} region @returns {HTMLElement | null | undefined} */
function firstIn(region) {
  const within = { rooms: 'a[aria-current], a', 'room-head': 'button:not([hidden]):not(.only-narrow)' }[region?.id ?? ''];
  const first = within ? (region?.querySelector('a[aria-current]') ?? region?.querySelector(within)) : region;
  return /** @type {HTMLElement | null | undefined} */ (first);
}
