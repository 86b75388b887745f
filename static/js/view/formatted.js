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
  if (block.kind === 'code') return [codeNode(block.text, copy)];
  return [listNode(block)];
}

/** @param {Extract<Block, {kind: 'list'}>} block */
function listNode(block) {
  const list = element(block.start === null ? 'ul' : 'ol', '', ...block.items.map((item) => element('li', '', ...item.map(inlineNode))));
  if (list instanceof HTMLOListElement) list.start = block.start ?? 1;
  return list;
}

/**
 * @param {string} text
 * @param {(text: string) => void} copy
 */
function codeNode(text, copy) {
  const pre = element('pre', '', element('code', '', text));
  pre.tabIndex = 0; // it scrolls sideways, by keys too
  return element('span', 'code', pre, button('Copy', 'button button--small code__copy', () => copy(text)));
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
