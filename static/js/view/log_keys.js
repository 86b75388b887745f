// The log by keyboard and by touch: one tab stop, arrows within, and a menu for the message under focus or finger.

const LONG_PRESS_MS = 500; // as the systems have it
const MOVED_PX = 10; // a finger that moves scrolls

export class LogKeys {
  #scroller;
  #parts;
  /** @type {any} */
  #pressed = null;

  /**
   * @param {HTMLElement} scroller
   * @param {object} parts
   * @param {() => HTMLElement[]} parts.rows from top to bottom
   * @param {(row: HTMLElement, at?: import('./menu.js').Point) => void} parts.menu
   * @param {() => void} parts.toLatest
   * @param {() => void} parts.write to the box one writes in
   */
  constructor(scroller, parts) {
    this.#scroller = scroller;
    this.#parts = parts;
    scroller.addEventListener('keydown', (event) => this.#key(event));
    scroller.addEventListener('contextmenu', (event) => this.#contextMenu(event));
    scroller.addEventListener('pointerdown', (event) => this.#down(event));
    for (const end of ['pointerup', 'pointercancel', 'scroll']) scroller.addEventListener(end, () => clearTimeout(this.#pressed), { passive: true });
    scroller.addEventListener('pointermove', (event) => this.#moved(event), { passive: true });
  }

  get #row() {
    const focused = document.activeElement;
    return this.#parts.rows().find((row) => row.contains(focused)) ?? null;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target instanceof HTMLPreElement && event.key.startsWith('Arrow')) return; // code scrolls by itself
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') this.#step(event.key === 'ArrowUp' ? -1 : 1);
    else if (event.key === 'End' || event.key === 'Escape') this.#parts.toLatest();
    else if (event.key === 'Enter' && this.#row === event.target) this.#parts.menu(/** @type {HTMLElement} */ (event.target));
    else if (isText(event)) return this.#parts.write(); // the letter goes where the focus is by then
    else return;
    event.preventDefault();
  }

  /** @param {number} step */
  #step(step) {
    const rows = this.#parts.rows();
    const at = this.#row ? rows.indexOf(this.#row) + step : this.#firstSeen(rows, step);
    rows[Math.max(0, Math.min(rows.length - 1, at))]?.focus({ preventScroll: true });
    this.#reveal();
  }

  /**
   * @param {HTMLElement[]} rows
   * @param {number} step
   */
  #firstSeen(rows, step) {
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const seen = rows.filter((row) => row.getBoundingClientRect().bottom > top && row.getBoundingClientRect().top < bottom);
    return rows.indexOf(/** @type {HTMLElement} */ (step < 0 ? seen.at(-1) : seen[0]));
  }

  /** Only the log scrolls, and no further than it must. */
  #reveal() {
    const row = this.#row;
    if (!row) return;
    const { top, bottom } = row.getBoundingClientRect();
    const frame = this.#scroller.getBoundingClientRect();
    if (top < frame.top) this.#scroller.scrollTop -= frame.top - top;
    else if (bottom > frame.bottom) this.#scroller.scrollTop += Math.min(bottom - frame.bottom, top - frame.top);
  }

  /** The menu key; the mouse keeps the browser's own menu. @param {MouseEvent} event */
  #contextMenu(event) {
    if (event.button === 2 && /** @type {PointerEvent} */ (event).pointerType !== 'touch') return;
    const touched = /** @type {PointerEvent} */ (event).pointerType === 'touch';
    const row = touched ? this.#rowOf(event.target) : (this.#row ?? this.#rowOf(event.target));
    if (!row) return;
    clearTimeout(this.#pressed);
    event.preventDefault();
    this.#parts.menu(row);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    clearTimeout(this.#pressed);
    const row = this.#rowOf(event.target);
    if (event.pointerType !== 'touch' || !row) return;
    this.#from = { x: event.clientX, y: event.clientY };
    const at = this.#from;
    this.#pressed = setTimeout(() => this.#parts.menu(row, at), LONG_PRESS_MS);
  }

  #from = { x: 0, y: 0 };

  /** @param {PointerEvent} event */
  #moved({ clientX, clientY }) {
    if (Math.hypot(clientX - this.#from.x, clientY - this.#from.y) > MOVED_PX) clearTimeout(this.#pressed);
  }

  /** @param {EventTarget | null} target */
  #rowOf(target) {
    return target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest('.row')) : null;
  }
}

/** @param {KeyboardEvent} event */
function isText({ key, ctrlKey, metaKey, altKey, target }) {
  const inRow = !(target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement);
  return inRow && Array.from(key).length === 1 && key !== ' ' && key !== '?' && !ctrlKey && !metaKey && !altKey;
}
