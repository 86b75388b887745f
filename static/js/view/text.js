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
  if (names.length === 1) return `${names[0]} is typing…`;
  return names.length === 2 ? `${names[0]} and ${names[1]} are typing…` : 'Several people are typing…';
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

// Terminals colour by these, and nobody who pastes them sees them.
const TERMINAL_CODES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const LINE_BREAKS = /\r\n|[\r\u000b\u000c\u0085\u2028\u2029]/g;
const REFUSED = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f]|\p{Cs}/gu; // half a pair too

/**
 * What is sent of what stands in the box: without what the server refuses and nobody sees, and without the empty lines
 * around it.
 * @param {string} text
 */
export function sendableText(text) {
  const clean = text.replace(TERMINAL_CODES, '').replace(LINE_BREAKS, '\n').replace(REFUSED, '');
  return clean.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();
}

// No link goes on behind white space, quotes, what cannot be seen, and the punctuation of languages without spaces.
const WITHIN = String.raw`[^\s<>"\u0060\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069。，、；：！？（）【】「」『』《》〈〉“”«»؟،؛]`;
const MAIL = String.raw`[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,63}`;
const LINK = new RegExp(`(?:https?://|www\\.)${WITHIN}+|${MAIL}`, 'giu');
const TRAILING = /[.,:;!?'’…*_~|-]+$/u; // usually the sentence's, not the address's
const MOST_BRACKETS = 20; // around one address; each is counted anew
/** @type {Record<string, string>} */
const OPENERS = { ')': '(', ']': '[', '}': '{' };

/**
 * Cuts a body into plain text and links to the web or to a mail address; other schemes stay text.
 * @param {string} body
 * @returns {{text: string, href: string | null}[]}
 */
export function splitLinks(body) {
  const parts = [];
  let done = 0;
  for (const match of body.matchAll(LINK)) {
    const link = trimLink(match[0]);
    const href = /[\p{L}\p{N}_]/u.test(body[match.index - 1] ?? '') && !/^http/i.test(link) ? null : safeHref(link);
    if (!href) continue;
    if (match.index > done) parts.push({ text: body.slice(done, match.index), href: null });
    parts.push({ text: link, href });
    done = match.index + link.length;
  }
  if (done < body.length) parts.push({ text: body.slice(done), href: null });
  return parts;
}

/**
 * Without the punctuation of the sentence around it: a bracket belongs to the address that opened it.
 * @param {string} link
 */
function trimLink(link) {
  let bare = link.replace(TRAILING, '');
  for (let cut = 0; cut < MOST_BRACKETS; cut += 1) {
    const opener = OPENERS[bare.slice(-1)];
    if (!opener || count(bare, opener) >= count(bare, bare.slice(-1))) break;
    bare = bare.slice(0, -1).replace(TRAILING, '');
  }
  return bare;
}

/**
 * @param {string} text
 * @param {string} letter
 */
function count(text, letter) {
  return text.split(letter).length - 1;
}

/** @param {string} link */
function safeHref(link) {
  if (!/^(?:www\.|https?:)/i.test(link) && !link.includes('@')) return null; // what is left of www...
  const address = /^www\./i.test(link) ? `https://${link}` : /^https?:/i.test(link) ? link : `mailto:${link}`;
  try {
    const { protocol, href } = new URL(address);
    return ['http:', 'https:', 'mailto:'].includes(protocol) ? href : null;
  } catch {
    return null;
  }
}

/**
 * A text as people look for it: without accents and case, however it was composed.
 * @param {string} text
 */
export function folded(text) {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(/[\s_.-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = (words.length ? words : [name]).slice(0, 2).map((word) => Array.from(word)[0] ?? '?');
  return letters.join('').toLocaleUpperCase();
}

/**
 * Tells two of one name apart, for people.
 * @param {string} id
 */
export function shortId(id) {
  return id.slice(-4);
}

/**
 * Those that stand there more than once.
 * @param {string[]} names
 */
export function repeated(names) {
  const seen = new Set();
  return new Set(names.filter((name) => seen.has(name) || !seen.add(name)));
}

/**
 * A small stable number for a text, to choose a colour by.
 * @param {string} text
 * @param {number} choices
 */
export function pickByHash(text, choices) {
  // FNV-1a, and a last stir: names that differ by a letter get different colours.
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % choices;
}
