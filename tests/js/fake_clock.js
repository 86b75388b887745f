// A clock that moves only when told to, and waits for promises in between.

export class FakeClock {
  #nowMs = 1_000_000;
  #setByMs = 0;
  #number = 0;
  /** @type {Map<number, {atMs: number, run: () => void}>} */
  #timers = new Map();

  now = () => this.#nowMs;

  date = () => this.#nowMs + this.#setByMs;

  setTimeout = (/** @type {() => void} */ run, /** @type {number} */ delayMs) => {
    this.#timers.set(++this.#number, { atMs: this.#nowMs + Math.max(0, delayMs), run });
    return this.#number;
  };

  clearTimeout = (/** @type {number} */ timer) => void this.#timers.delete(timer);

  /** @param {number} delayMs */
  async pass(delayMs) {
    const endMs = this.#nowMs + delayMs;
    await settle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      const [number, { atMs, run }] = next;
      this.#timers.delete(number);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      run();
      await settle();
    }
    this.#nowMs = endMs;
  }

  /** Somebody sets the computer's clock. @param {number} byMs */
  set(byMs) {
    this.#setByMs += byMs;
  }

  /** The machine sleeps: time goes by and no timer fires until `pass`. @param {number} delayMs */
  sleep(delayMs) {
    this.#nowMs += delayMs;
  }

  /** @param {number} endMs */
  #next(endMs) {
    return [...this.#timers].filter(([, { atMs }]) => atMs <= endMs).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
  }
}

/** Lets everything happen that needs no more time. */
export async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
