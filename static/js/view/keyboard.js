// Keys that work everywhere on the page.

import { byId } from './dom.js';

const REGIONS = ['rooms', 'scroller', 'composer-input'];

export function setUpKeyboard() {
  const shortcuts = byId('shortcuts-dialog', HTMLDialogElement);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'F6') {
      event.preventDefault();
      focusNextRegion(event.shiftKey ? -1 : 1);
    } else if (event.key === '/' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!shortcuts.open) shortcuts.showModal();
    }
  });
}

/** @param {number} step */
function focusNextRegion(step) {
  const regions = REGIONS.map((id) => /** @type {HTMLElement} */ (document.getElementById(id)))
    .filter((region) => region.offsetParent !== null && !region.closest('[inert]'));
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + step + regions.length) % regions.length];
  const target = next?.id === 'rooms' ? next.querySelector('[aria-current], a') : next;
  if (target instanceof HTMLElement) target.focus();
}
