import './globals.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { newLocalId } from '../../static/js/outbox/local_id.js';
import { slug } from '../../static/js/view/new_room.js';
import { codePoints, folded, initials, isSendable, repeated, roomLeft, sendableText, splitLinks } from '../../static/js/view/text.js';

test('code points are counted, not UTF-16 units', () => {
  assert.equal(codePoints('a😀'), 2);
  assert.equal(roomLeft('😀'.repeat(3999)), 1);
  assert.equal(roomLeft('😀'.repeat(4001)), -1);
  assert.equal(roomLeft('short'), null);
});

test('white space and too much are not sendable', () => {
  assert.equal(isSendable(' \n\t\u3000'), false);
  assert.equal(isSendable('😀'.repeat(4000)), true);
  assert.equal(isSendable('a'.repeat(4001)), false);
});

const LINKS = [
  ['see https://example.org/a.', 'https://example.org/a'],
  ['(https://example.org/a_(b))', 'https://example.org/a_(b)'],
  ['http://localhost:8000/?q=1&r=2, yes', 'http://localhost:8000/?q=1&r=2'],
  ['看https://example.com/a。', 'https://example.com/a'],
  ['https://example.com/a，然后', 'https://example.com/a'],
  ['انظر https://example.com/a، ثم', 'https://example.com/a'],
  ['he said “https://example.com/a”.', 'https://example.com/a'],
  ['[text](https://example.com/a)', 'https://example.com/a'],
  ['https://example.com/?filter[name]', 'https://example.com/?filter[name]'],
  ["https://example.com/it's", "https://example.com/it's"],
  ['https://example.com/é/ü', 'https://example.com/é/ü'],
  ['see www.example.org/a.', 'www.example.org/a'],
  ['write to ada@example.org, please', 'ada@example.org'],
];
for (const [text, link] of LINKS) {
  test(`finds ${link}`, () => {
    const parts = splitLinks(text);
    assert.deepEqual(parts.filter(({ href }) => href).map((part) => part.text), [link]);
    assert.equal(parts.map((part) => part.text).join(''), text);
  });
}

for (const text of ['javascript:alert(1)', 'data:text/html,x', 'http://', 'https://[', 'ftp://x.org', 'xwww.example.org', 'a@b']) {
  test(`${text} stays text`, () => assert.deepEqual(splitLinks(text), [{ text, href: null }]));
}

test('32 white initials on each colour have a contrast of 4.5 or more', () => {
  const css = readFileSync(new URL('../../static/css/base.css', import.meta.url), 'utf8');
  const colours = [...css.matchAll(/\.avatar(?:\[data-colour="\d"\])? \{[^}]*background: (#[0-9a-f]{6})/g)].map(([, colour]) => colour);
  assert.equal(colours.length, 10);
  for (const colour of colours) assert.ok(1.05 / (luminance(colour) + 0.05) >= 4.5, colour);
});

/** As WCAG 2 defines it. @param {string} colour */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test('32 initials', () => {
  assert.equal(initials('Ada Lovelace'), 'AL');
  assert.equal(initials('ada'), 'A');
  assert.equal(initials('élan_vital'), 'ÉV');
  assert.equal(initials('***'), '*');
});

test('a local id is long enough and of the allowed letters', () => {
  const ids = new Set(Array.from({ length: 100 }, () => newLocalId()));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{8,64}$/);
});

test('a title suggests an address', () => {
  assert.equal(slug('Jour férié!'), 'jour-ferie');
  assert.equal(slug('  --  '), '');
});

test('a link to a page or a mail address says where it leads', () => {
  const href = (/** @type {string} */ text) => splitLinks(text)[0].href;
  assert.equal(href('www.example.org'), 'https://www.example.org/');
  assert.equal(href('ada@example.org'), 'mailto:ada@example.org');
});

test('what was pasted loses what the server refuses', () => {
  const cases = [
    ['one\u000btwo', 'one\ntwo'], ['one\u2028two\r\nthree', 'one\ntwo\nthree'], ['\u001b[31mred\u001b[0m', 'red'],
    ['a\u0000b', 'ab'], ['cut \ud83d', 'cut'], ['\ud83d\ude00', '\ud83d\ude00'], ['\n \n  code\n\n', '  code'], ['\ttab', '\ttab'],
  ];
  for (const [text, sent] of cases) assert.equal(sendableText(text), sent);
});

test('texts that take long elsewhere take no time', () => {
  const began = performance.now();
  for (const text of ['a'.repeat(4000), 'a@'.repeat(2000), `www.${')'.repeat(3990)}`, 'https://('.repeat(400) + ')))'.repeat(100)]) splitLinks(text);
  assert.ok(performance.now() - began < 400, 'a second message waits for it');
});

test('names are looked for without accents and case', () => {
  for (const typed of ['José', 'Jose\u0301', 'jose', 'JOSE']) assert.equal(folded(typed), 'jose');
  assert.deepEqual([...repeated(['a', 'b', 'a', 'a'])], ['a']);
});
