// Which room the address names: `<root>/rooms/<room>`.

export class Address {
  #root;
  #history;
  #location;

  /**
   * @param {string} root
   * @param {Window} window
   */
  constructor(root, window) {
    this.#root = root;
    this.#history = window.history;
    this.#location = window.location;
  }

  /** @param {string} room */
  pathOf(room) {
    // The query, such as ?transport=poll, stays.
    return `${this.#root}/rooms/${encodeURIComponent(room)}${this.#location.search}`;
  }

  /** @returns {string | null} */
  get room() {
    const path = this.#location.pathname.slice(this.#root.length);
    const match = /^\/rooms\/([^/]+)\/?$/.exec(path);
    return match ? decoded(match[1]) : null;
  }

  /** @param {string} room */
  goTo(room) {
    if (room !== this.room) this.#history.pushState(null, '', this.pathOf(room));
  }

  /** @returns {'stream' | 'poll' | null} */
  get forcedTransport() {
    const asked = new URLSearchParams(this.#location.search).get('transport');
    return asked === 'stream' || asked === 'poll' ? asked : null;
  }
}

/**
 * A link from elsewhere may hold a bare %, or letters of another encoding: then there is no such room.
 * @param {string} part
 */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
