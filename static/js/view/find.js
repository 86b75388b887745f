// Find a room or a person: one field, a list below it, all by keyboard.

import { avatar } from './avatar.js';
import { byId, element, setText } from './dom.js';
import { sign } from './room_list.js';
import { folded, shortId } from './text.js';

/** @typedef {import('../rooms/room.js').Room} Room */
/** @typedef {import('../net/shapes.js').Member} Member */
/** @typedef {{node: HTMLElement, run: () => void}} Hit */

const MOST_OF_EACH = 8; // what fits without scrolling; more letters find the rest
const PEOPLE_AGAIN_MS = 60_000;

export class Find {
  #dialog = byId('find-dialog', HTMLDialogElement);
  #input = byId('find-input', HTMLInputElement);
  #list = byId('find-list', HTMLDivElement);
  #note = byId('find-note', HTMLParagraphElement);
  /** @type {Member[]} */
  #people = [];
  #peopleAtMs = -Infinity;
  /** @type {Hit[]} */
  #hits = [];
  #chosen = 0;
  #parts;

  /**
   * @param {object} parts
   * @param {import('../net/clock.js').Clock} parts.clock
   * @param {() => Room[]} parts.rooms own ones first
   * @param {() => Promise<Member[]>} parts.people everybody known
   * @param {() => string} parts.me
   * @param {(name: string) => void} parts.openRoom
   * @param {(userId: string) => void} parts.talkTo
   */
  constructor(parts) {
    this.#parts = parts;
    this.#input.addEventListener('input', () => this.#draw());
    this.#input.addEventListener('keydown', (event) => this.#key(event));
    this.#dialog.addEventListener('click', (event) => { if (event.target === this.#dialog) this.#dialog.close(); });
    byId('find', HTMLButtonElement).addEventListener('click', () => this.open());
    if (/Mac|iPhone|iPad/.test(navigator.platform)) setText(byId('find-keys', HTMLElement), '⌘K');
  }

  open() {
    if (this.#dialog.open) return this.#dialog.close();
    this.#input.value = '';
    this.#draw();
    this.#dialog.showModal();
    void this.#loadPeople();
  }

  async #loadPeople() {
    const now = this.#parts.clock.now();
    if (now - this.#peopleAtMs < PEOPLE_AGAIN_MS) return;
    this.#peopleAtMs = now;
    try {
      this.#people = await this.#parts.people();
      if (this.#dialog.open) this.#draw();
    } catch {
      this.#peopleAtMs = -Infinity; // rooms are found without them
    }
  }

  #draw() {
    const wanted = folded(this.#input.value.trim());
    const rooms = this.#parts.rooms().filter(({ title, name }) => folded(title).includes(wanted) || name.includes(wanted));
    const me = this.#parts.me();
    const people = wanted ? this.#people.filter(({ id, name }) => id !== me && folded(name).includes(wanted)) : [];
    const roomHits = rooms.slice(0, MOST_OF_EACH).map((room) => this.#roomHit(room));
    const peopleHits = people.slice(0, MOST_OF_EACH).map((person) => this.#personHit(person));
    this.#hits = [...roomHits, ...peopleHits];
    this.#list.replaceChildren(...group('Rooms', roomHits), ...group('People', peopleHits));
    const more = Math.max(0, rooms.length - MOST_OF_EACH) + Math.max(0, people.length - MOST_OF_EACH);
    setText(this.#note, this.#hits.length ? (more ? `${more} more: type more of the name.` : '') : 'Nothing by this name.');
    this.#choose(0);
  }

  /** @param {Room} room @returns {Hit} */
  #roomHit(room) {
    const about = room.info.member ? '' : 'Not joined';
    return this.#hit([sign(room), element('bdi', 'people__name', room.title), element('span', 'find-list__about', about)],
      () => this.#parts.openRoom(room.name));
  }

  /** @param {Member} person @returns {Hit} */
  #personHit(person) {
    const about = `${person.online ? 'Online' : 'Offline'} · ${shortId(person.id)}`;
    return this.#hit([avatar(person, 'small'), element('bdi', 'people__name', person.name), element('span', 'find-list__about', about)],
      () => this.#parts.talkTo(person.id));
  }

  /**
   * @param {Node[]} content
   * @param {() => void} run
   * @returns {Hit}
   */
  #hit(content, run) {
    const node = element('div', 'find-list__item', ...content);
    node.setAttribute('role', 'option');
    const hit = { node, run };
    node.addEventListener('click', () => this.#take(hit));
    return hit;
  }

  /** @param {number} index */
  #choose(index) {
    this.#chosen = (index + this.#hits.length) % Math.max(1, this.#hits.length);
    this.#hits.forEach(({ node }, at) => {
      node.id = `find-${at}`;
      node.setAttribute('aria-selected', String(at === this.#chosen));
    });
    const chosen = this.#hits[this.#chosen];
    this.#input.setAttribute('aria-activedescendant', chosen ? `find-${this.#chosen}` : '');
    chosen?.node.scrollIntoView({ block: 'nearest' });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    if (event.key === 'ArrowDown') this.#choose(this.#chosen + 1);
    else if (event.key === 'ArrowUp') this.#choose(this.#chosen - 1);
    else if (event.key === 'Enter') this.#take(this.#hits[this.#chosen]);
    else return;
    event.preventDefault();
  }

  /** @param {Hit | undefined} hit */
  #take(hit) {
    if (!hit) return;
    this.#dialog.close();
    hit.run();
  }
}

/**
 * @param {string} heading
 * @param {Hit[]} hits
 */
function group(heading, hits) {
  if (!hits.length) return [];
  const made = element('div', '', element('div', 'find-list__heading', heading), ...hits.map(({ node }) => node));
  made.setAttribute('role', 'group');
  made.setAttribute('aria-label', heading);
  return [made];
}
