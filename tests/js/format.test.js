import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf, firstLine, inlineOf, isEmojiAlone, isLong } from '../../static/js/view/format.js';

/** Short for reading: bold is [b …], and so on. @param {import('../../static/js/view/format.js').Inline[]} parts @returns {string} */
const drawn = (parts) => parts.map((part) => {
  if (part.kind === 'text') return part.text;
  if (part.kind === 'code' || part.kind === 'link') return `[${part.kind} ${part.text}]`;
  return `[${part.kind} ${drawn(part.within)}]`;
}).join('');

const line = (/** @type {string} */ text) => drawn(inlineOf(text));

test('47 signs within a line', () => {
  assert.equal(line('a `b*c*` **bold *and* so** ~~gone~~ *it*'), 'a [code b*c*] [strong bold [em and] so] [del gone] [em it]');
  assert.equal(line('(**b**), “*i*”'), '([strong b]), “[em i]”');
});

test('47 what only looks like signs stays as it was', () => {
  for (const text of ['2 * 3 * 4', 'a*b*c', '** not **', '*', '**', '~~', '`', '``', 'snake_case_name', '5 ** 3 ** 2', '**\n**'])
    assert.equal(line(text), text);
});

test('47 links are not cut by signs within them', () => {
  assert.equal(line('see https://example.org/a*b*c/~~x~~/y **now**'), 'see [link https://example.org/a*b*c/~~x~~/y] [strong now]');
  assert.equal(line('**https://example.org/**'), '[strong [link https://example.org/]]');
});

test('47 fences, quotes and lists are blocks; lines between them stay lines', () => {
  const blocks = blocksOf('before\nit\n```js\nconst a = 1;\n\n> no quote\n```\n> one\n> **two**\n- x\n* y\n3. third\n4. fourth\nafter');
  assert.deepEqual(blocks.map(({ kind }) => kind), ['lines', 'code', 'quote', 'list', 'list', 'lines']);
  assert.deepEqual(blocks[1], { kind: 'code', text: 'const a = 1;\n\n> no quote', language: 'js' });
  assert.equal(drawn(/** @type {any} */ (blocks[2]).within), 'one\n[strong two]');
  assert.deepEqual(/** @type {any} */ (blocks[3]).items.map(drawn), ['x', 'y']);
  assert.deepEqual(/** @type {any} */ (blocks[4]).numbers, [3, 4]);
});

test('47 a fence that is not closed, as in a reply that grows, goes to the end', () => {
  assert.deepEqual(blocksOf('```\nhalf'), [{ kind: 'code', text: 'half', language: '' }]);
  assert.deepEqual(blocksOf('```'), [{ kind: 'lines', within: [{ kind: 'text', text: '```' }] }]);
  assert.deepEqual(blocksOf('```one line```'), [{ kind: 'code', text: 'one line', language: '' }]);
});

test('47 nothing that was written is lost', () => {
  const all = (/** @type {string} */ body) => blocksOf(body).map((block) => {
    if (block.kind === 'code') return `[code ${block.language}|${block.text}]`;
    return block.kind === 'list' ? `[list ${block.numbers} ${block.items.map(drawn)}]` : `[${block.kind} ${drawn(block.within)}]`;
  }).join('');
  assert.equal(all('```\ncode\n```thanks'), '[code |code\n```thanks]');
  assert.equal(all('```hello\nworld'), '[code hello|world]');
  assert.equal(all('>'), '[lines >]');
  assert.equal(all('>_<'), '[lines >_<]');
  assert.equal(all('> a\n>\n> b'), '[quote a\n\nb]');
  assert.equal(all('1. a\n3. b\n7. c'), '[list 1,3,7 a,b,c]');
  assert.equal(all('```\n```\nhello'), '[lines ```\n```\nhello]');
  assert.equal(all('www...'), '[lines www...]');
});

test('47 a plain text is one block of its own lines', () => {
  assert.deepEqual(blocksOf('one\n\n two '), [{ kind: 'lines', within: [{ kind: 'text', text: 'one\n\n two ' }] }]);
});

test('47 the worst text of a growing reply is read in a moment', () => {
  for (const piece of ['*', '**', '~~a', '`', '**a ', '> ', '- ', '```\n', '(*x']) {
    const began = process.cpuUsage(); // not the clock: other tests run beside this one
    blocksOf(piece.repeat(32_000 / piece.length));
    const tookMs = process.cpuUsage(began).user / 1000;
    assert.ok(tookMs < 1_000, `${piece}: ${tookMs} ms`);
  }
});

test('47 up to three emoji stand alone', () => {
  for (const body of ['🎉', '👍🏽 🎉', '👨‍👩‍👧‍👦', '🇩🇪🇫🇷', '❤️']) assert.ok(isEmojiAlone(body), body);
  for (const body of ['', 'a', '1', '🎉🎉🎉🎉', '🎉!', '12', '#']) assert.ok(!isEmojiAlone(body), body);
});

test('47 more than thirty lines fold', () => {
  assert.ok(!isLong('line\n'.repeat(29) + 'line'));
  assert.ok(isLong('line\n'.repeat(31)));
  assert.ok(isLong('x'.repeat(80 * 31)));
  assert.ok(!isLong(''));
});

test('49 a quote shows the first line that says something', () => {
  assert.equal(firstLine('\n> quoted\nmore'), 'quoted');
  assert.equal(firstLine('```js\ncode\n```'), 'code');
  assert.equal(firstLine(''), '');
});
