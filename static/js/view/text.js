// Reading text: code points, links, initials. Pure.

export const BODY_LIMIT = 4000; // code points, as the server counts
const COUNTER_FROM = BODY_LIMIT * 0.9; // earlier, a counter would only distract

/** @param {string} text */
export function codePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * How many code points are left, or null while nobody needs to know.
 * @param {string} body
 */
export function roomLeft(body) {
  if (body.length < COUNTER_FROM) return null; // a string has at least as many units as code points
  const count = codePoints(body);
  return count < COUNTER_FROM ? null : BODY_LIMIT - count;
}

/**
 * Who is writing, in one short line.
 * @param {string[]} names
 */
export function typingText(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is writing…`;
  return names.length === 2 ? `${names[0]} and ${names[1]} are writing…` : 'Several people are writing…';
}

/**
 * Who has read a message, in one short line.
 * @param {string[]} names
 */
export function seenText(names) {
  if (names.length === 0) return '';
  if (names.length <= 2) return `Seen by ${names.join(' and ')}`;
  return `Seen by ${names[0]} and ${names.length - 1} others`;
}

/** @param {string} body */
export function isSendable(body) {
  return body.trim() !== '' && codePoints(body) <= BODY_LIMIT;
}

const LINK = /https?:\/\/[^\s<>"'`\u0000-\u001f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/giu;
const TRAILING = /[.,:;!?)\]}…]+$/u; // usually the sentence's, not the address's

/**
 * Cuts a body into plain text and http(s) links; other schemes stay text.
 * @param {string} body
 * @returns {{text: string, href: string | null}[]}
 */
export function splitLinks(body) {
  const parts = [];
  let done = 0;
  for (const match of body.matchAll(LINK)) {
    const link = trimLink(match[0]);
    const href = safeHref(link);
    if (!href) continue;
    if (match.index > done) parts.push({ text: body.slice(done, match.index), href: null });
    parts.push({ text: link, href });
    done = match.index + link.length;
  }
  if (done < body.length) parts.push({ text: body.slice(done), href: null });
  return parts;
}

/** @param {string} link */
function trimLink(link) {
  const bare = link.replace(TRAILING, '');
  // …_(disambiguation): a bracket that was opened inside belongs to the address.
  return bare.includes('(') && link[bare.length] === ')' ? `${bare})` : bare;
}

/** @param {string} link */
function safeHref(link) {
  try {
    const { protocol, href } = new URL(link);
    return protocol === 'http:' || protocol === 'https:' ? href : null;
  } catch {
    return null;
  }
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(/[\s_.-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = (words.length ? words : [name]).slice(0, 2).map((word) => Array.from(word)[0] ?? '?');
  return letters.join('').toLocaleUpperCase();
}

/**
 * A small stable number for an id, to choose a colour by.
 * @param {string} id
 * @param {number} choices
 */
export function pickByHash(id, choices) {
  let hash = 0;
  for (let index = 0; index < id.length; index += 1) hash = (hash * 31 + id.charCodeAt(index)) >>> 0;
  return hash % choices;
}
