// Keeps the reader's place: at the bottom while following, else at the message under their eyes.

const NEAR_BOTTOM_PX = 80; // about two lines: as good as at the bottom

export class ScrollKeeper {
  #scroller;
  #log;
  /** @type {Element | null} */
  #anchor = null;
  #anchorTopPx = 0;
  following = true;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} log
   */
  constructor(scroller, log) {
    this.#scroller = scroller;
    this.#log = log;
  }

  /**
   * To be called when the reader scrolls.
   * @param {boolean} atLatest whether the last row is the newest message
   */
  scrolled(atLatest) {
    this.following = atLatest && this.distanceFromBottom < NEAR_BOTTOM_PX;
    this.#remember();
  }

  /**
   * Not scrollIntoView: that would scroll everything around the log as well.
   * @param {Element} target
   * @param {boolean} atLatest
   */
  showAtTop(target, atLatest) {
    this.#scroller.scrollTop += target.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    this.scrolled(atLatest);
  }

  /**
   * @param {Element} target
   * @param {boolean} atLatest
   */
  showInMiddle(target, atLatest) {
    const { top, height } = target.getBoundingClientRect();
    const frame = this.#scroller.getBoundingClientRect();
    this.#scroller.scrollTop += top - frame.top - Math.max(0, (frame.height - height) / 2);
    this.scrolled(atLatest);
  }

  get distanceFromBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /**
   * Runs a change of the rows and puts the reader back where they were.
   * @param {() => void} change
   */
  around(change) {
    this.#remember();
    change();
    this.restore();
  }

  /** After heights changed on their own: fonts, a narrower window, a growing composer. */
  restore() {
    if (this.following) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      return;
    }
    if (!this.#anchor?.isConnected) return;
    const movedPx = this.#topOf(this.#anchor) - this.#anchorTopPx;
    if (Math.abs(movedPx) > 0.5) this.#scroller.scrollTop += movedPx;
  }

  #remember() {
    if (this.following) return;
    this.#anchor = this.#firstVisible();
    if (this.#anchor) this.#anchorTopPx = this.#topOf(this.#anchor);
  }

  #firstVisible() {
    const topPx = this.#scroller.getBoundingClientRect().top;
    for (const row of this.#log.children) {
      if (row.getBoundingClientRect().bottom > topPx) return row;
    }
    return null;
  }

  /** @param {Element} row */
  #topOf(row) {
    // The last child is the message itself: a day line that comes or goes above it must not count.
    const message = row.lastElementChild ?? row;
    return message.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
  }
}
