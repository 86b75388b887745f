import './globals.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newLocalId } from '../../static/js/outbox/local_id.js';
import { slug } from '../../static/js/view/new_room.js';
import { codePoints, initials, isSendable, roomLeft, splitLinks } from '../../static/js/view/text.js';

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
];
for (const [text, link] of LINKS) {
  test(`finds ${link}`, () => {
    const parts = splitLinks(text);
    assert.deepEqual(parts.filter(({ href }) => href).map((part) => part.text), [link]);
    assert.equal(parts.map((part) => part.text).join(''), text);
  });
}

for (const text of ['javascript:alert(1)', 'data:text/html,x', 'http://', 'https://[', 'ftp://x.org']) {
  test(`${text} stays text`, () => assert.deepEqual(splitLinks(text), [{ text, href: null }]));
}

test('initials', () => {
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
