// A person's initials on a colour that stays theirs.

import { element } from './dom.js';
import { initials, pickByHash } from './text.js';

const COLOURS = 10; // as many as base.css has, each with a contrast of at least 4.5:1 to white

/**
 * @param {import('../net/shapes.js').User} user
 * @param {string} [size] '' or 'small'
 */
export function avatar(user, size) {
  const made = element('span', size ? `avatar avatar--${size}` : 'avatar');
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
  // By name and not by id: of the other one in a direct room the page knows the name alone.
  target.dataset.colour = String(pickByHash(user.name, COLOURS));
}
