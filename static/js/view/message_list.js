// The messages of the open room: rows for a part of the timeline, drawn at most once a frame.

import { byId, element, setText } from './dom.js';
import { firstLine } from './format.js';
import { surroundingsOf } from './grouping.js';
import { LogKeys } from './log_keys.js';
import { LogStart } from './log_start.js';
import { MessageRow } from './message_row.js';
import { ScrollKeeper } from './scroll_keeper.js';
import { seenText } from './text.js';
import { VisiblePart } from './visible_part.js';

/**
 * @typedef {import('../rooms/room.js').Room} Room
 * @typedef {import('../rooms/entry.js').Entry} Entry
 */

const MOST_SPOKEN = 3; // a screen reader that falls behind is worse than a count
const SPOKEN_CHARACTERS = 200;
const LOOK_AT_DAY_MS = 60_000; // midnight comes while a page is open, and clocks are set
const LOAD_WITHIN_PX = 400; // half a screen ahead, so that scrolling does not stop at the edge

export class MessageList {
  #scroller = byId('scroller', HTMLDivElement);
  #log = byId('log', HTMLDivElement);
  #toLatest = byId('to-latest', HTMLButtonElement);
  #announcer = byId('announcer', HTMLParagraphElement);
  #keeper = new ScrollKeeper(this.#scroller, this.#log);
  /** @type {VisiblePart<Entry>} */
  #visible = new VisiblePart();
  /** @type {Map<Entry, MessageRow>} */
  #rows = new Map();
  /** @type {Room | null} */
  #room = null;
  /** The newest entry that the reader has had on the screen. @type {Entry | null} */
  #lastSeen = null;
  /** @type {Entry | null} */
  #lastAnnounced = null;
  #opening = false;
  /** The message that a link has led to. @type {string | null} */
  #found = null;
  #drawPlanned = false;
  #myId = '';
  #day = new Date().toDateString();
  #printed = false;
  #start;
  #parts;

  /**
   * @param {object} parts
   * @param {import('./message_row.js').RowActions} parts.actions
   * @param {(room: Room) => Promise<void>} parts.loadOlder
   * @param {(room: Room) => Promise<void>} parts.loadNewer of a part far back
   * @param {(atLatest: boolean) => void} parts.seen whether the newest message is on the screen
   * @param {{invite: () => void, copyLink: () => void}} parts.start
   * @param {() => void} parts.write
   */
  constructor(parts) {
    this.#parts = parts;
    this.#start = new LogStart({ older: () => this.#older(), ...parts.start });
    new LogKeys(this.#scroller, {
      rows: () => [...this.#log.children].map((row) => /** @type {HTMLElement} */ (row)),
      menu: (node, at) => [...this.#rows.values()].find((row) => row.node === node)?.openMenu(at),
      toLatest: () => this.toLatest(),
      write: parts.write,
    });
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#toLatest.addEventListener('click', () => {
      this.toLatest();
      parts.write(); // the button that had the focus goes away
    });
    this.#whenThingsChange();
  }

  #whenThingsChange() {
    document.addEventListener('visibilitychange', () => this.#turnDay());
    setInterval(() => this.#turnDay(), LOOK_AT_DAY_MS);
    const resized = new ResizeObserver(() => this.#keeper.restore());
    resized.observe(this.#scroller);
    resized.observe(this.#log);
    window.addEventListener('beforeprint', () => this.#printing(true));
    window.addEventListener('afterprint', () => this.#printing(false));
  }

  /** On paper stands all that is here. @param {boolean} printing */
  #printing(printing) {
    this.#printed = printing;
    this.#draw();
  }

  /**
   * @param {Room | null} room
   * @param {string} myId
   */
  show(room, myId) {
    this.#room = room;
    this.#myId = myId;
    this.#visible.reset();
    this.#rows.clear();
    this.#log.replaceChildren();
    this.#keeper.following = true;
    this.#lastSeen = null;
    this.#lastAnnounced = null;
    this.#opening = true;
    this.#found = null;
    this.#draw();
  }

  /** Of the menu of a message. @param {Entry} entry */
  choicesOf(entry) {
    return this.#rows.get(entry)?.choices ?? [];
  }

  /**
   * Shows a message that is here, marked.
   * @param {string} id
   */
  jumpTo(id) {
    const entries = this.#entries;
    const index = entries.findIndex((entry) => entry.id === id);
    const room = this.#room;
    if (index < 0 || !room) return false;
    this.#opening = false;
    this.#found = id;
    this.#keeper.following = false;
    this.#visible.showFrom(entries, index);
    this.#drawRows(room);
    const row = this.#rowOf(entries[index]).node;
    this.#keeper.showInMiddle(row, this.#atLatest);
    row.focus({ preventScroll: true });
    this.#drawNews();
    return true;
  }

  /** @param {Room} room */
  changed(room) {
    if (room !== this.#room || this.#drawPlanned) return;
    this.#drawPlanned = true;
    // A hidden page gets no frames; its rows may wait, and timers there are slow anyway.
    requestAnimationFrame(() => {
      this.#drawPlanned = false;
      this.#draw();
    });
  }

  /** Today becomes Yesterday. */
  #turnDay() {
    const day = new Date().toDateString();
    if (day !== this.#day && this.#room) this.changed(this.#room);
    this.#day = day;
  }

  toLatest() {
    if (this.#room) this.#room.past = null;
    this.#found = null;
    this.#visible.reset();
    this.#keeper.following = true;
    this.#draw();
  }

  get #entries() {
    return this.#room?.shown.timeline.entries ?? [];
  }

  /** Whether the last row is the newest message. */
  get #atLatest() {
    return this.#visible.atLatest && !this.#room?.past;
  }

  #draw() {
    const room = this.#room;
    if (!room) return;
    if (this.#keeper.following && this.#atLatest) room.trimIfLong();
    if (this.#opening && room.history === 'ready') this.#openAtUnread(room);
    this.#keeper.around(() => this.#drawRows(room));
    this.#drawNews();
    this.#announce();
  }

  /**
   * Opens at the first unread message if there is one.
   * @param {Room} room
   */
  #openAtUnread(room) {
    this.#opening = false;
    const index = room.timeline.entries.findIndex((entry) => entry.id !== null && entry.id === room.firstUnreadId);
    this.#lastAnnounced = this.#entries.at(-1) ?? null;
    if (index < 0) return;
    this.#lastSeen = this.#entries[index - 1] ?? null;
    this.#visible.showFrom(this.#entries, index);
    this.#drawRows(room);
    const line = this.#log.querySelector('.divider--unread');
    if (line) this.#keeper.showAtTop(line, this.#atLatest);
  }

  /** @param {Room} room */
  #drawRows(room) {
    const entries = this.#entries;
    const { start, end } = this.#printed ? { start: 0, end: entries.length } : this.#visible.range(entries, this.#keeper.following);
    this.#start.show(room, start === 0);
    this.#removeAllBut(new Set(entries.slice(start, end)));
    const now = Date.now();
    const { id: seenId, names } = room.seenBy;
    /** @type {Element | null} */
    let place = this.#log.firstElementChild;
    for (let index = start; index < end; index += 1) {
      const row = this.#rowOf(entries[index]);
      const seenBy = entries[index].id && entries[index].id === seenId ? seenText(names) : '';
      row.update({ ...surroundingsOf(entries, index, room.firstUnreadId, now), seenBy });
      row.node.classList.toggle('row--found', this.#found !== null && entries[index].id === this.#found);
      // A node that is in its place is not touched: moving it would cost focus and selection.
      if (row.node === place) place = place.nextElementSibling;
      else this.#log.insertBefore(row.node, place);
    }
  }

  /** @param {Set<Entry>} kept */
  #removeAllBut(kept) {
    for (const [entry, row] of this.#rows) {
      if (kept.has(entry)) continue;
      if (row.node.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
      row.node.remove();
      this.#rows.delete(entry);
    }
  }

  /** @param {Entry} entry */
  #rowOf(entry) {
    const known = this.#rows.get(entry);
    if (known) return known;
    const row = new MessageRow(entry, entry.sender.id === this.#myId, this.#parts.actions);
    this.#rows.set(entry, row);
    return row;
  }

  #scrolled() {
    this.#keeper.scrolled(this.#atLatest);
    // What failed is tried again by the button, or when the page is live again: each try scrolls.
    if (this.#scroller.scrollTop < LOAD_WITHIN_PX && this.#room?.history !== 'error') this.#older();
    if (this.#keeper.distanceFromBottom < LOAD_WITHIN_PX) this.#newer();
    this.#drawNews();
  }

  async #newer() {
    const room = this.#room;
    if (!room) return;
    if (this.#visible.growDown(this.#entries)) return this.#draw();
    if (!room.past || room.history === 'loading') return;
    await this.#parts.loadNewer(room);
    if (room === this.#room) this.#draw();
  }

  async #older() {
    const room = this.#room;
    if (!room || room.history === 'loading') return;
    if (this.#visible.growUp(this.#entries, this.#keeper.following)) return this.#draw();
    if (!room.shown.hasMore && room.history !== 'error') return;
    await this.#parts.loadOlder(room);
    if (room !== this.#room) return;
    this.#visible.growUp(this.#entries, this.#keeper.following);
    this.#draw();
  }

  #drawNews() {
    const entries = this.#entries;
    if (this.#keeper.following) this.#lastSeen = entries.at(-1) ?? null;
    const seen = this.#lastSeen ? entries.lastIndexOf(this.#lastSeen) : entries.length;
    const news = this.#room?.past ? 0 : entries.slice(seen + 1).filter((entry) => entry.sender.id !== this.#myId).length;
    this.#toLatest.hidden = this.#keeper.following;
    if (this.#room?.history === 'ready' && !this.#opening) this.#parts.seen(this.#keeper.following);
    setText(this.#toLatest, news > 0 ? `↓ ${news} new` : '↓ Latest');
  }

  /** Announces what others say; history and one's own messages stay silent. */
  #announce() {
    const entries = this.#room?.timeline.entries ?? [];
    const from = this.#lastAnnounced ? entries.lastIndexOf(this.#lastAnnounced) : -1;
    this.#lastAnnounced = entries.at(-1) ?? null;
    if (from < 0) return;
    const news = entries.slice(from + 1).filter((entry) => entry.sender.id !== this.#myId && !entry.deletedAt);
    if (!news.length) return;
    const spoken = news.map(({ sender, body }) => `${sender.name}: ${firstLine(body).slice(0, SPOKEN_CHARACTERS)}`);
    const text = news.length > MOST_SPOKEN ? `${news.length} new messages` : spoken.join('. ');
    this.#announcer.replaceChildren(element('span', '', text));
  }
}
