// How long to wait before trying again: full jitter, so that many clients do not come back together.

const FIRST_MS = 500;
const LONGEST_MS = 30_000; // a person who watches the countdown should not wait longer

/**
 * @param {number} attempt 0 for the first wait
 * @param {() => number} random 0 ≤ n < 1
 */
export function backoffMs(attempt, random) {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(random() * ceilingMs);
}
