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

  /**
   * @param {string} room
   * @param {string} [message] the id of one of its messages
   */
  pathOf(room, message) {
    // The query, such as ?transport=stream, stays.
    return `${this.#root}/rooms/${encodeURIComponent(room)}${this.#location.search}${message ? `#${message}` : ''}`;
  }

  /** The message that a link leads to. @returns {string | null} */
  get message() {
    const id = this.#location.hash.slice(1);
    return /^[0-9a-f-]{36}$/.test(id) ? id : null;
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

  /** With `transport=poll` the page is another one. @returns {'stream' | null} */
  get forcedTransport() {
    return new URLSearchParams(this.#location.search).get('transport') === 'stream' ? 'stream' : null;
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
