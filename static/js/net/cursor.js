// A cursor is opaque, except that a room's messages are sorted by it: `<ms>-<sequence>`.

/**
 * Compares two numerals of any length without turning them into numbers, which would round above 2^53.
 * @param {string} a
 * @param {string} b
 */
function compareNumerals(a, b) {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Negative when a comes before b.
 * @param {string} a
 * @param {string} b
 */
export function compareCursors(a, b) {
  const [aTime, aSequence = '0'] = a.split('-');
  const [bTime, bSequence = '0'] = b.split('-');
  return compareNumerals(aTime, bTime) || compareNumerals(aSequence, bSequence);
}
