// Notifications of the system: asked for by a button, one a room, only while no page is looked at.

/** @typedef {import('../rooms/room.js').Room} Room */

const SHOWN_CHARACTERS = 120;

export class Notifications {
  /** @type {Map<string, Notification>} */
  #shown = new Map();
  /** @type {import('../rooms/room_choices.js').RoomChoices | null} */
  #choices = null;
  #parts;

  /**
   * @param {object} parts
   * @param {typeof Notification | undefined} parts.Notification missing in some webviews
   * @param {ServiceWorkerContainer | undefined} parts.workers
   * @param {(room: string) => void} parts.open
   * @param {(text: string) => void} parts.notice
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {import('../rooms/room_choices.js').RoomChoices | null} choices the user's, null when nobody is signed in */
  use(choices) {
    this.#choices = choices;
    for (const name of [...this.#shown.keys()]) this.read(name);
  }

  /** For the user's menu. */
  choices() {
    if (!this.#parts.Notification) return [];
    const on = this.#allowed && Boolean(this.#choices?.direct);
    const run = async () => { if (on || (await this.ask())) this.#choices?.setDirect(!on); };
    return [{ label: 'Notify me of direct messages', checked: on, run }];
  }

  /** Asks the user, unless they have answered. @returns {Promise<boolean>} whether notifications may be shown */
  async ask() {
    const { Notification, notice } = this.#parts;
    if (!Notification) return false;
    if ((await Notification.requestPermission()) === 'granted') return true;
    notice('The browser does not let this page notify you. Its settings for this site can change that.');
    return false;
  }

  /**
   * @param {Room} room
   * @param {import('../net/shapes.js').Message} message
   */
  tell(room, message) {
    if (!this.#allowed || !this.#choices?.isTold(room)) return;
    const { Notification, open } = this.#parts;
    const title = room.info.visibility === 'direct' ? message.sender.name : `${message.sender.name} in ${room.title}`;
    const options = { body: message.body.slice(0, SHOWN_CHARACTERS), tag: `chat ${room.name}` }; // one a room: a later one takes its place
    /** @type {globalThis.Notification} */
    let shown;
    try {
      shown = new /** @type {typeof globalThis.Notification} */ (Notification)(title, options);
    } catch {
      // On Android pages may not make them; their worker may.
      void this.#parts.workers?.getRegistration().then((registration) => registration?.showNotification(title, options));
      return;
    }
    shown.onclick = () => {
      window.focus();
      open(room.name);
      shown.close();
    };
    this.#shown.set(room.name, shown);
  }

  /** @param {string} room what was said there has been seen */
  read(room) {
    this.#shown.get(room)?.close();
    this.#shown.delete(room);
  }

  get #allowed() {
    return this.#parts.Notification?.permission === 'granted';
  }
}
