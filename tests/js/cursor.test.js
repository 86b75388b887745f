import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareCursors } from '../../static/js/net/cursor.js';

const IN_ORDER = [
  ['9-9', '10-0'],
  ['9-10', '10-1'],
  ['10-2', '10-10'],
  ['0-0', '1-0'],
  ['1763781234567-0', '1763781234568-0'],
  ['1763781234567-1048575', '1763781234568-0'],
  ['9007199254740992-0', '9007199254740993-0'], // one number apart only above 2^53
];

for (const [first, second] of IN_ORDER) {
  test(`${first} comes before ${second}`, () => {
    assert.ok(compareCursors(first, second) < 0);
    assert.ok(compareCursors(second, first) > 0);
    assert.equal(compareCursors(first, first), 0);
  });
}
