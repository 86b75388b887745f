// Time is handed in, so that tests need not wait.

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since some moment, for durations: whatever happens to the computer's clock
 * @property {() => number} date milliseconds since 1970, as the computer's clock has it: it may jump by hours
 * @property {(run: () => void, delayMs: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** @type {Clock} */
export const browserClock = {
  now: () => performance.now(),
  date: () => Date.now(),
  setTimeout: (run, delayMs) => globalThis.setTimeout(run, delayMs),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};
