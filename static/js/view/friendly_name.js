// Names to begin with, so that nobody has to think of one at the door: two words, a few thousand pairs.

const FIRST = ['Amber', 'Brave', 'Bright', 'Calm', 'Clear', 'Clever', 'Coral', 'Cosy', 'Crisp', 'Curious', 'Eager', 'Early', 'Fair', 'Gentle',
  'Glad', 'Golden', 'Happy', 'Honest', 'Jolly', 'Keen', 'Kind', 'Lively', 'Lucky', 'Mellow', 'Merry', 'Mild', 'Neat', 'Noble', 'Patient',
  'Plain', 'Polite', 'Proud', 'Quick', 'Quiet', 'Rapid', 'Ready', 'Royal', 'Sharp', 'Silver', 'Sunny', 'Swift', 'Tidy', 'Warm', 'Wise'];
const SECOND = ['Badger', 'Beaver', 'Bison', 'Crane', 'Deer', 'Dolphin', 'Falcon', 'Finch', 'Fox', 'Gecko', 'Hare', 'Hawk', 'Heron', 'Ibis',
  'Jackdaw', 'Kestrel', 'Koala', 'Lark', 'Lemur', 'Lynx', 'Marten', 'Mole', 'Moose', 'Newt', 'Otter', 'Owl', 'Panda', 'Pelican', 'Plover',
  'Puffin', 'Quail', 'Raven', 'Robin', 'Seal', 'Stork', 'Swan', 'Tapir', 'Tern', 'Toucan', 'Turtle', 'Vole', 'Walrus', 'Weasel', 'Wren'];

/**
 * @param {() => number} random 0 ≤ n < 1
 */
export function friendlyName(random) {
  const one = (/** @type {string[]} */ words) => words[Math.floor(random() * words.length)];
  return `${one(FIRST)} ${one(SECOND)}`;
}
