// Which part of a long list of entries has rows. Pure.
//
// The part is held by its first and last entry, because positions move with every insert.

const STEP = 50; // rows added at an edge at once: about three screens
const MOST = 150; // rows in the document; more make scrolling slow on weak machines
const AT_LATEST = 100; // rows kept while following the newest: room to grow before the next cut

/**
 * @template T
 */
export class VisiblePart {
  /** @type {T | null} */ #first = null;
  /** Null while the part ends with the newest entry, whichever that is. @type {T | null} */ #last = null;

  reset() {
    this.#first = null;
    this.#last = null;
  }

  get atLatest() {
    return this.#last === null;
  }

  /**
   * Moves the part so that the entry at this position is in it.
   * @param {T[]} entries
   * @param {number} index
   */
  showFrom(entries, index) {
    const start = Math.max(0, index - STEP);
    this.#set(entries, start, Math.min(entries.length, start + AT_LATEST + STEP));
  }

  /**
   * @param {T[]} entries
   * @param {boolean} following whether the reader is at the bottom
   * @returns {{start: number, end: number}}
   */
  range(entries, following) {
    let end = this.#last ? entries.lastIndexOf(this.#last) + 1 : entries.length;
    if (end === 0) end = entries.length;
    let start = this.#first ? entries.indexOf(this.#first) : end - AT_LATEST;
    const usual = Math.max(0, end - AT_LATEST);
    if (start < 0 || start > end || (following && start > usual)) start = usual;
    if (end - start > MOST) {
      if (following) start = end - AT_LATEST;
      else end = start + MOST; // what comes while the reader looks further up waits below
    }
    this.#set(entries, start, end);
    return { start, end };
  }

  /**
   * @param {T[]} entries
   * @param {boolean} following whether the reader is at the bottom
   */
  growUp(entries, following) {
    const { start, end } = this.range(entries, following);
    const next = Math.max(0, start - STEP);
    if (following && end - next > MOST) return false; // that would cut off the newest
    this.#set(entries, next, Math.min(end, next + MOST));
    return next < start;
  }

  /** @param {T[]} entries */
  growDown(entries) {
    // Many entries may have come without rows yet: a reader at the newest gets the latest of them, not the next few.
    if (this.atLatest) return false;
    const { start, end } = this.range(entries, false);
    const next = Math.min(entries.length, end + STEP);
    this.#set(entries, Math.max(start, next - MOST), next);
    return next > end;
  }

  /**
   * @param {T[]} entries
   * @param {number} start
   * @param {number} end
   */
  #set(entries, start, end) {
    this.#first = entries[start] ?? null;
    this.#last = end >= entries.length ? null : entries[end - 1];
  }
}
