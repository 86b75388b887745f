// The messages of the open room: rows for a part of the timeline, drawn at most once a frame.

import { byId, element, setText } from './dom.js';
import { surroundingsOf } from './grouping.js';
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
  #note = byId('history-note', HTMLParagraphElement);
  #loadOlder = byId('load-older', HTMLButtonElement);
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
  #drawPlanned = false;
  #myId = '';
  #day = new Date().toDateString();
  #parts;

  /**
   * @param {object} parts
   * @param {import('./message_row.js').RowActions} parts.actions
   * @param {(room: Room) => Promise<void>} parts.loadOlder
   */
  constructor(parts) {
    this.#parts = parts;
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#toLatest.addEventListener('click', () => this.toLatest());
    this.#loadOlder.addEventListener('click', () => this.#older());
    this.#scroller.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('visibilitychange', () => this.#turnDay());
    setInterval(() => this.#turnDay(), LOOK_AT_DAY_MS);
    const resized = new ResizeObserver(() => this.#keeper.restore());
    resized.observe(this.#scroller);
    resized.observe(this.#log);
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
    this.#draw();
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
    this.#visible.reset();
    this.#keeper.following = true;
    this.#draw();
  }

  get #entries() {
    return this.#room?.timeline.entries ?? [];
  }

  #draw() {
    const room = this.#room;
    if (!room) return;
    if (this.#keeper.following && this.#visible.atLatest) room.trimIfLong();
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
    if (line) this.#keeper.showAtTop(line, this.#visible.atLatest);
  }

  /** @param {Room} room */
  #drawRows(room) {
    const entries = this.#entries;
    const { start, end } = this.#visible.range(entries, this.#keeper.following);
    this.#drawStart(room, start);
    this.#removeAllBut(new Set(entries.slice(start, end)));
    const now = Date.now();
    const { id: seenId, names } = room.seenBy;
    /** @type {Element | null} */
    let place = this.#log.firstElementChild;
    for (let index = start; index < end; index += 1) {
      const row = this.#rowOf(entries[index]);
      const seenBy = entries[index].id && entries[index].id === seenId ? seenText(names) : '';
      row.update({ ...surroundingsOf(entries[index], entries[index - 1], room.firstUnreadId, now), seenBy });
      // A node that is in its place is not touched: moving it would cost focus and selection.
      if (row.node === place) place = place.nextElementSibling;
      else this.#log.insertBefore(row.node, place);
    }
  }

  /** @param {Set<Entry>} kept */
  #removeAllBut(kept) {
    for (const [entry, row] of this.#rows) {
      if (kept.has(entry)) continue;
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

  /**
   * @param {Room} room
   * @param {number} start
   */
  #drawStart(room, start) {
    const atBeginning = start === 0 && room.history === 'ready' && !room.hasMore;
    const texts = { none: '', loading: 'Loading…', ready: '', error: 'The messages could not be loaded.' };
    setText(this.#note, atBeginning ? `This is the beginning of ${room.title}.` : texts[room.history]);
    this.#loadOlder.hidden = atBeginning || room.history === 'loading' || room.history === 'none';
    setText(this.#loadOlder, room.history === 'error' ? 'Try again' : 'Load older messages');
  }

  #scrolled() {
    this.#keeper.scrolled(this.#visible.atLatest);
    if (this.#scroller.scrollTop < LOAD_WITHIN_PX) this.#older();
    if (this.#keeper.distanceFromBottom < LOAD_WITHIN_PX && this.#visible.growDown(this.#entries)) this.#draw();
    this.#drawNews();
  }

  async #older() {
    const room = this.#room;
    if (!room || room.history === 'loading') return;
    if (this.#visible.growUp(this.#entries, this.#keeper.following)) return this.#draw();
    if (!room.hasMore && room.history !== 'error') return;
    await this.#parts.loadOlder(room);
    if (room !== this.#room) return;
    this.#visible.growUp(this.#entries, this.#keeper.following);
    this.#draw();
  }

  #drawNews() {
    const entries = this.#entries;
    if (this.#keeper.following) this.#lastSeen = entries.at(-1) ?? null;
    const seen = this.#lastSeen ? entries.lastIndexOf(this.#lastSeen) : entries.length;
    const news = entries.slice(seen + 1).filter((entry) => entry.sender.id !== this.#myId).length;
    this.#toLatest.hidden = this.#keeper.following;
    setText(this.#toLatest, news ? `↓ ${news} new` : '↓ Latest');
  }

  /** Announces what others say; history and one's own messages stay silent. */
  #announce() {
    const entries = this.#entries;
    const from = this.#lastAnnounced ? entries.lastIndexOf(this.#lastAnnounced) : -1;
    this.#lastAnnounced = entries.at(-1) ?? null;
    if (from < 0) return;
    const news = entries.slice(from + 1).filter((entry) => entry.sender.id !== this.#myId && !entry.deletedAt);
    if (!news.length) return;
    const spoken = news.map(({ sender, body }) => `${sender.name}: ${body.slice(0, SPOKEN_CHARACTERS)}`);
    const text = news.length > MOST_SPOKEN ? `${news.length} new messages` : spoken.join('. ');
    this.#announcer.replaceChildren(element('span', '', text));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== 'End' && event.key !== 'Escape') return;
    event.preventDefault();
    this.toLatest();
  }
}
