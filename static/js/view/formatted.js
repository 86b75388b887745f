// A message's text as nodes: what view/format.js has read, made by createElement alone.

import { button, element } from './dom.js';
import { blocksOf } from './format.js';

/**
 * @typedef {import('./format.js').Inline} Inline
 * @typedef {import('./format.js').Block} Block
 */

/**
 * @param {string} body
 * @param {(text: string) => void} copy
 * @returns {(Node | string)[]}
 */
export function formatted(body, copy) {
  return blocksOf(body).flatMap((block) => blockNodes(block, copy));
}

/**
 * @param {Block} block
 * @param {(text: string) => void} copy
 */
function blockNodes(block, copy) {
  if (block.kind === 'lines') return block.within.map(inlineNode);
  if (block.kind === 'quote') return [element('blockquote', '', ...block.within.map(inlineNode))];
  if (block.kind === 'code') return [codeNode(block, copy)];
  return [listNode(block)];
}

/** @param {Extract<Block, {kind: 'list'}>} block */
function listNode(block) {
  const items = block.items.map((item) => element('li', '', ...item.map(inlineNode)));
  // The numbers that were written, whichever they are.
  block.numbers?.forEach((number, index) => { items[index].value = number; });
  return element(block.numbers ? 'ol' : 'ul', '', ...items);
}

/**
 * @param {Extract<Block, {kind: 'code'}>} block
 * @param {(text: string) => void} copy
 */
function codeNode({ text, language }, copy) {
  const pre = element('pre', '', element('code', '', text));
  pre.tabIndex = 0; // it scrolls sideways, by keys too
  const label = language ? [element('span', 'code__language', language)] : [];
  return element('span', 'code', ...label, pre, button('Copy', 'button button--small code__copy', () => copy(text)));
}

/**
 * @param {Inline} part
 * @returns {Node}
 */
function inlineNode(part) {
  if (part.kind === 'text') return document.createTextNode(part.text);
  if (part.kind === 'code') return element('code', '', part.text);
  if (part.kind !== 'link') return element(part.kind, '', ...part.within.map(inlineNode));
  const link = element('a', '', part.text);
  link.href = part.href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  return link;
}
