// A person's initials on a colour that stays theirs.

import { element } from './dom.js';
import { initials, pickByHash } from './text.js';

const COLOURS = 10; // as many as base.css has, each with a contrast of at least 4.5:1 to white

/** @param {import('../net/shapes.js').User} user */
export function avatar(user) {
  const made = element('span', 'avatar');
  made.setAttribute('aria-hidden', 'true'); // the name stands beside it
  fillAvatar(made, user);
  return made;
}

/**
 * @param {HTMLElement} target
 * @param {import('../net/shapes.js').User} user
 */
export function fillAvatar(target, user) {
  target.textContent = initials(user.name);
  target.dataset.colour = String(pickByHash(user.id, COLOURS));
}
