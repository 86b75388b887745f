// Reads the few signs by which people format: fences, quotes, lists, `code`, **bold**, *italic*, ~~struck~~, links. Pure.
// The text on the wire stays as it is; this says only how it is drawn. Each pattern has a longest match, so that no text
// takes longer than its length says.

import { splitLinks } from './text.js';

/** @typedef {{kind: 'text', text: string} | {kind: 'link', text: string, href: string} | {kind: 'code', text: string}} Leaf */
/** @typedef {Leaf | {kind: 'strong' | 'em' | 'del', within: Inline[]}} Inline */
/** @typedef {{kind: 'lines', within: Inline[]} | {kind: 'quote', within: Inline[]} | {kind: 'code', text: string, language: string} | {kind: 'list', numbers: number[] | null, items: Inline[][]}} Block */

const FENCE = /^\s{0,3}```([\w+#.-]*)\s*$/;
const ONE_LINE_FENCE = /^```(.+)```$/;
const FENCE_END = /^\s{0,3}```\s*$/;
const QUOTE = /^>(?: |$)/; // not the face >_<
const BULLET = /^\s{0,3}[-*•]\s+(?=\S)/;
const NUMBER = /^\s{0,3}(\d{1,4})[.)]\s+(?=\S)/;

const SPAN = String.raw`[^\s*~](?:[^\n]{0,998}?[^\s*~])?`;
const SIGNS = new RegExp(
  `(^|[^\\w*~/])(?:\`([^\`\\n]{1,1000})\`|\\*\\*(${SPAN})\\*\\*|\\*(${SPAN})\\*|~~(${SPAN})~~)(?![\\w*~])`, 'g',
);
const DEEPEST = 3;

/**
 * @param {string} body
 * @returns {Block[]}
 */
export function blocksOf(body) {
  const lines = body.split('\n');
  /** @type {Block[]} */
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    const [kind, end] = runFrom(lines, at);
    put(blocks, blockOf(kind, lines.slice(at, end)));
    at = end;
  }
  return blocks;
}

/**
 * Lines that follow lines are one text.
 * @param {Block[]} blocks
 * @param {Block} block
 */
function put(blocks, block) {
  const last = blocks.at(-1);
  if (last?.kind === 'lines' && block.kind === 'lines') last.within.push({ kind: 'text', text: '\n' }, ...block.within);
  else blocks.push(block);
}

/** @typedef {'lines' | 'fence' | 'code' | 'quote' | 'bullets' | 'numbers'} Kind */

/** @param {string} line @returns {Kind} */
function kindOf(line) {
  if (FENCE.test(line)) return 'fence';
  if (ONE_LINE_FENCE.test(line)) return 'code';
  if (QUOTE.test(line)) return 'quote';
  if (BULLET.test(line)) return 'bullets';
  return NUMBER.test(line) ? 'numbers' : 'lines';
}

/**
 * How far the lines go on that belong together. A fence that is not closed goes to the end.
 * @param {string[]} lines
 * @param {number} from
 * @returns {[Kind, number]}
 */
function runFrom(lines, from) {
  const kind = kindOf(lines[from]);
  if (kind === 'code') return [kind, from + 1];
  let end = from + 1;
  while (end < lines.length && (kind === 'fence' ? !FENCE_END.test(lines[end]) : kindOf(lines[end]) === kind)) end += 1;
  return [kind, kind === 'fence' ? Math.min(end + 1, lines.length) : end];
}

/**
 * @param {Kind} kind
 * @param {string[]} lines
 * @returns {Block}
 */
function blockOf(kind, lines) {
  if (kind === 'code') return { kind, text: lines[0].slice(3, -3), language: '' };
  if (kind === 'fence') return fenced(lines);
  const quoted = lines.map((line) => line.replace(QUOTE, '')).join('\n');
  if (kind === 'quote' && quoted.trim()) return { kind, within: inlineOf(quoted) };
  if (kind === 'lines' || kind === 'quote') return { kind: 'lines', within: inlineOf(lines.join('\n')) };
  const sign = kind === 'bullets' ? BULLET : NUMBER;
  const numbers = kind === 'numbers' ? lines.map((line) => Number(NUMBER.exec(line)?.[1])) : null;
  return { kind: 'list', numbers, items: lines.map((line) => inlineOf(line.replace(sign, ''))) };
}

/**
 * Signs around nothing are a text like any other.
 * @param {string[]} lines
 * @returns {Block}
 */
function fenced(lines) {
  const closed = lines.length > 1 && FENCE_END.test(lines.at(-1) ?? '');
  const text = (closed ? lines.slice(1, -1) : lines.slice(1)).join('\n');
  const language = FENCE.exec(lines[0])?.[1] ?? '';
  return text ? { kind: 'code', text, language } : { kind: 'lines', within: inlineOf(lines.join('\n')) };
}

/**
 * @param {string} text
 * @param {number} [depth]
 * @returns {Inline[]}
 */
export function inlineOf(text, depth = 0) {
  if (depth >= DEEPEST) return leavesOf(text);
  /** @type {Inline[]} */
  const parts = [];
  let done = 0;
  for (const match of text.matchAll(SIGNS)) {
    const [whole, before, code, strong, em, del] = match;
    parts.push(...leavesOf(text.slice(done, match.index + before.length)));
    if (code !== undefined) parts.push({ kind: 'code', text: code });
    else if (strong !== undefined) parts.push({ kind: 'strong', within: inlineOf(strong, depth + 1) });
    else if (em !== undefined) parts.push({ kind: 'em', within: inlineOf(em, depth + 1) });
    else parts.push({ kind: 'del', within: inlineOf(del, depth + 1) });
    done = match.index + whole.length;
  }
  parts.push(...leavesOf(text.slice(done)));
  return parts;
}

/**
 * @param {string} text
 * @returns {Leaf[]}
 */
function leavesOf(text) {
  return splitLinks(text).map(({ text: shown, href }) => (href ? { kind: 'link', text: shown, href } : { kind: 'text', text: shown }));
}

const MOST_ALONE = 3;
const PICTURE = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|[#*0-9]\ufe0f?\u20e3)/u;

/**
 * Up to three emoji and nothing else: they stand large.
 * @param {string} body
 */
export function isEmojiAlone(body) {
  if (body.length > 60 || typeof Intl.Segmenter === 'undefined') return false;
  const signs = [...new Intl.Segmenter().segment(body.trim())].map(({ segment }) => segment).filter((sign) => sign.trim());
  return signs.length > 0 && signs.length <= MOST_ALONE && signs.every((sign) => PICTURE.test(sign));
}

const MOST_LINES = 30;
const LINE_CHARACTERS = 80;

/** Whether a text is so long that it is folded. @param {string} body */
export function isLong(body) {
  if (body.length < MOST_LINES) return false;
  let lines = 0;
  for (const line of body.split('\n')) lines += Math.max(1, Math.ceil(line.length / LINE_CHARACTERS));
  return lines > MOST_LINES;
}

/** The first line, without signs: for quotes and notifications. @param {string} body */
export function firstLine(body) {
  const line = body.split('\n').find((each) => each.trim() && !FENCE.test(each)) ?? '';
  return line.replace(QUOTE, '').slice(0, 200);
}
