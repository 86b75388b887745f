// The page for old browsers uses nothing that they lack. What a browser of today cannot show is held here by lists.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';

import { surfaceOf } from './es5_surface.js';

const SOURCE = readFileSync(new URL('../../static/js/legacy.js', import.meta.url), 'utf8');
const STYLE = readFileSync(new URL('../../static/css/legacy.css', import.meta.url), 'utf8');
const MARKUP = readFileSync(new URL('../../templates/legacy.html', import.meta.url), 'utf8');

/** @param {string} text */
const words = (text) => text.trim().split(/\s+/);

// What Internet Explorer 11 and Chrome 38 have, by Microsoft's reference and caniuse.
const GLOBALS = words(`
  Array Boolean Date JSON Math Number Object String Uint8Array XMLHttpRequest clearTimeout console decodeURIComponent
  document encodeURIComponent history location matchMedia performance undefined window
`);
const LANGUAGE = words(`
  Array.isArray Date.UTC Date.parse JSON.parse JSON.stringify Math.abs Math.ceil Math.floor Math.max Math.min Math.pow
  Math.random Math.round Object.create Object.keys
  charAt concat exec filter forEach getDate getFullYear getMonth getTime indexOf join length localeCompare map match pop
  push reduce replace shift slice sort splice split test toISOString toLocaleDateString toLocaleString
  toLocaleTimeString toLowerCase toString toUpperCase trim
`);
const BROWSER = words(`
  abort activeElement addEventListener altKey appendChild childNodes className clientHeight createElement createTextNode
  console crypto ctrlKey disabled error firstChild focus getAttribute getBoundingClientRect getElementById getItem
  getRandomValues getResponseHeader hash height hidden insertBefore key keyCode localStorage matches metaKey msCrypto newValue
  now offsetTop onerror onload ontimeout open pathname performance persisted placeholder preventDefault pushState
  querySelector reload removeChild removeItem repeat responseText scrollHeight scrollTop search select send setAttribute
  setItem setRequestHeader setTimeout shiftKey status style textContent timeout title top type value
`);
/** Members of the page's own objects and of what the server answers. */
const OWN = words(`
  __chat above after at attempt backUntil before below body busy code createdAt cursor cuts deletedAt detail done draft
  drawn edited editedAt entries errors events failure firstUnread growing hasMore head heardAt heardDate history hold id
  info liveAt loading localId lostAt member memberCount message messageId messages method more name onlineCount
  order owner parts path phase readTimer readTo refusal reset retryAfterMs retryAt retryable room rooms row sender
  shownBody side since stale text timer tried turn typing typists unread unreadBefore until user userId userName
  visibility waitAsked xhr
`);
/** Never in a list above, whatever the page's own objects are called. */
const NEWER = words(`
  Promise fetch EventSource URL URLSearchParams Map Set WeakMap Symbol Proxy Event CustomEvent AbortController indexedDB
  BroadcastChannel Object.assign Object.entries Object.values Array.from Array.of Number.isFinite Date.now
  find findIndex includes fill startsWith endsWith padStart padEnd codePointAt matchAll replaceAll flat flatMap
  closest matches() remove append prepend replaceWith replaceChildren classList innerHTML outerHTML
  insertAdjacentHTML responseType response children dataset toggle scrollIntoView scrollTo isComposing randomUUID
`);

/** @param {string} source */
function foreignIn(source) {
  const { globals, members } = surfaceOf(source);
  const allowed = [...LANGUAGE, ...BROWSER, ...OWN];
  return [...globals.filter((name) => !GLOBALS.includes(name)), ...members.filter((name) => !allowed.includes(name))];
}

test('it is ES5 and uses nothing beyond the list', () => assert.deepEqual(foreignIn(SOURCE), []));

test('the lists hold nothing newer, and nothing that is not used', () => {
  const { globals, members } = surfaceOf(SOURCE);
  const listed = [...GLOBALS, ...LANGUAGE, ...BROWSER, ...OWN];
  assert.deepEqual(listed.filter((name) => NEWER.includes(name)), []);
  assert.deepEqual(listed.filter((name) => !globals.includes(name) && !members.includes(name)), []);
});

test('newer syntax would be found', () => {
  for (const newer of ['let a;', 'const a = 1;', 'a => a', '`a`', 'class A {}', 'for (var a of b) {}', 'var { a } = b;', 'f(a, );', 'a?.b', '/a/u']) {
    assert.throws(() => surfaceOf(newer), SyntaxError, newer);
  }
});

test('newer names would be found, wherever they hide', () => {
  const planted = [
    ['fetch("/")', 'fetch'],
    ['function f(fetch) { fetch(); } fetch();', 'fetch'],
    ['window.Promise', 'Promise'],
    ['window["EventSource"]', 'EventSource'],
    ['new URL("/")', 'URL'],
    ['Object.assign({}, {})', 'Object.assign'],
    ['Array.from("a")', 'Array.from'],
    ['document.body.closest("a")', 'closest'],
    ['"a".includes("b")', 'includes'],
    ['document.head.innerHTML = ""', 'innerHTML'],
    ['try { 1; } catch (name) { Symbol(); }', 'Symbol'],
    ['document.body.matches("a")', 'matches()'],
    ['(function () { var a = { find: function () {} }; a.find(); })()', 'find'],
  ];
  for (const [source, name] of planted) assert.deepEqual(foreignIn(source), [name], source);
});

test('the style sheet has no values of its own making, no grid, no newer selectors and only physical directions', () => {
  const newer = /var\(|[{;]\s*--|grid|gap:|:is\(|:where\(|:has\(|:not\([^)]*,|:focus-(?:visible|within)|(?:-|\b)(?:inline|block)-(?:start|end|size)|inset|sticky|clamp\(|min\(|max\(|\d(?:dvh|svh|ch)\b|@supports|@layer|rgb\(\d+ /;
  assert.deepEqual(STYLE.match(new RegExp(newer, 'g')) ?? [], []);
  for (const planted of ['var(--a)', 'display: grid', ':is(a)', 'margin-inline-start: 0', 'padding-block-end: 0', 'inset: 0']) {
    assert.match(planted, newer, planted);
  }
});

test('the markup has no script or style of its own and names no module', () => {
  assert.doesNotMatch(MARKUP, /<style|style=|\son\w+=|type="module"|<dialog|<template/);
  assert.deepEqual(MARKUP.match(/<script[^>]*>/g)?.length, 1);
});

/**
 * What the script does in a document that is not its own page.
 * @param {string} address
 * @param {object} [besides]
 */
function ledFrom(address, besides = {}) {
  /** @type {string[]} */
  const led = [];
  const { pathname, search, hash } = new URL(address, 'http://chat.example');
  const location = { pathname, search, hash, replace: (/** @type {string} */ to) => led.push(to) };
  /** @type {Record<string, unknown>} Nothing else is there, so that anything else would throw. */
  const page = { location, document: { getElementById: () => null }, ...besides };
  page.window = page;
  runInContext(SOURCE, createContext(page));
  runInContext(SOURCE, createContext(page)); // some browsers run it twice
  return led;
}

test('elsewhere it leads to its own page, once, and keeps the rest of the address', () => {
  assert.deepEqual(ledFrom('/'), ['/?transport=poll']);
  assert.deepEqual(ledFrom('/rooms/general?a=1&b=%20#m-5'), ['/rooms/general?a=1&b=%20&transport=poll#m-5']);
  assert.deepEqual(ledFrom('/talk/?transport=stream&a'), ['/talk/?a&transport=poll']);
});

test('it never leads in a circle, nor away from a page that runs already', () => {
  assert.deepEqual(ledFrom('/?transport=poll'), []);
  assert.deepEqual(ledFrom('/?a&transport=poll&b'), []);
  assert.deepEqual(ledFrom('/', { __chat: true }), []);
});
