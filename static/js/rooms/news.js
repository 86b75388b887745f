// Applies events to the rooms. Each kind of event has its own method; unknown kinds are ignored.

/**
 * @typedef {import('../net/shapes.js').ChatEvent} ChatEvent
 * @typedef {import('../net/shapes.js').Message} Message
 * @typedef {import('../net/shapes.js').User} User
 * @typedef {import('./room.js').Room} Room
 */

/**
 * @typedef {object} NewsHooks
 * @property {(room: Room) => void} changed
 * @property {(message: Message) => void} ownArrived one's own message came back through the log
 * @property {(cursor: string) => void} received someone else's message arrived
 * @property {(room: Room) => boolean} isWatched
 * @property {(room: Room, message: Message) => void} unseen someone else said something where nobody looks
 * @property {(room: Room) => void} watched someone else's message came into the room that the user looks at
 * @property {(room: Room, user: User, typing: boolean) => void} typing
 * @property {(room: Room, changes: {user: User, online: boolean}[]) => void} presence
 * @property {(room: Room, id: string) => void} missed a part of a message that grows
 * @property {(name: string) => void} deleted
 * @property {(name: string) => void} joined
 * @property {(name: string) => void} left
 * @property {(name: string) => Promise<Room | null>} lookUp a room that the list did not have yet
 */

// Beside the log; the page is right without them.
const SIGNALS = new Set(['typing', 'read', 'receipt', 'presence', 'message.grew']);

export class News {
  #rooms;
  #myId;
  #hooks;

  /**
   * @param {import('./room_book.js').RoomBook} rooms
   * @param {string} myId
   * @param {NewsHooks} hooks
   */
  constructor(rooms, myId, hooks) {
    this.#rooms = rooms;
    this.#myId = myId;
    this.#hooks = hooks;
  }

  /** @param {ChatEvent} event */
  apply(event) {
    if (!event.room) return;
    const room = this.#rooms.get(event.room);
    if (event.type === 'member.joined') this.#joined(event, room);
    else if (event.type === 'member.left') this.#left(event, room);
    else if (event.type === 'room.deleted') this.#hooks.deleted(event.room);
    else if (!event.cursor && SIGNALS.has(event.type)) room && this.#signal(event, room);
    else if (!room) this.#applyLater(event, event.room);
    else if (event.type === 'message.created' && event.message) this.#created(event, room, event.message);
    else if (event.message) this.#changed(room, event.message);
    else if (event.type === 'message.status') this.#status(room, event);
    else if (event.type === 'room.updated') this.#updated(room, event);
  }

  /**
   * News beside the log: the page is right without it.
   * @param {ChatEvent} event
   * @param {Room} room
   */
  #signal(event, room) {
    const { type, user, typing = false, unread = 0, onlineCount = 0, changes = [], receipts = [] } = event;
    if (type === 'typing' && user) this.#hooks.typing(room, user, typing);
    // Another client of this user has read it.
    else if (type === 'read' && !this.#hooks.isWatched(room)) room.readElsewhere(unread);
    else if (type === 'receipt') room.readers.take(receipts);
    else if (type === 'message.grew') this.#grew(event, room);
    else if (type === 'presence') {
      this.#rooms.tellPresence(room, onlineCount);
      this.#hooks.presence(room, changes);
    }
    this.#hooks.changed(room);
  }

  /**
   * @param {ChatEvent} event
   * @param {Room} room
   */
  #grew({ messageId = '', at = 0, text = '' }, room) {
    if (!room.timeline.grew(messageId, at, text)) this.#hooks.missed(room, messageId);
  }

  /**
   * @param {Room} room
   * @param {ChatEvent} event
   */
  #updated(room, { title = null, owner = null }) {
    room.info = { ...room.info, title, owner };
    this.#hooks.changed(room);
  }

  /**
   * Order does not matter here: a timeline sorts by itself.
   * @param {ChatEvent} event
   * @param {string} name
   */
  async #applyLater(event, name) {
    if (await this.#hooks.lookUp(name)) this.apply(event);
  }

  /**
   * @param {ChatEvent} event
   * @param {Room} room
   * @param {Message} message
   */
  #created(event, room, message) {
    const isNew = !room.timeline.byId(message.id);
    if (room.covers(message)) room.timeline.created(message);
    room.typists.wrote(message.sender.id);
    if (message.sender.id === this.#myId) this.#hooks.ownArrived(message);
    else if (isNew) this.#someoneWrote(event, room, message);
    this.#hooks.changed(room);
  }

  /**
   * @param {ChatEvent} event
   * @param {Room} room
   * @param {Message} message
   */
  #someoneWrote(event, room, message) {
    if (event.cursor) this.#hooks.received(event.cursor);
    if (this.#hooks.isWatched(room)) return this.#hooks.watched(room);
    room.missed(message);
    this.#hooks.unseen(room, message);
    room.trimIfLong();
  }

  /**
   * @param {Room} room
   * @param {Message} message
   */
  #changed(room, message) {
    room.merge(message);
    this.#hooks.changed(room);
  }

  /**
   * @param {Room} room
   * @param {ChatEvent} event
   */
  #status(room, event) {
    room.advance(event);
    this.#hooks.changed(room);
  }

  /**
   * @param {ChatEvent} event
   * @param {Room | undefined} room
   */
  #joined({ user, room: name = '' }, room) {
    if (user?.id === this.#myId) this.#hooks.joined(name);
    else if (room) this.#count(room, 1);
  }

  /**
   * @param {ChatEvent} event
   * @param {Room | undefined} room
   */
  #left({ user, room: name = '' }, room) {
    if (user?.id === this.#myId) this.#hooks.left(name);
    else if (room) {
      room.readers.forget(user?.id ?? '');
      this.#count(room, -1);
    }
  }

  /**
   * @param {Room} room
   * @param {number} change
   */
  #count(room, change) {
    room.info = { ...room.info, memberCount: Math.max(0, room.info.memberCount + change) };
    this.#hooks.changed(room);
  }
}
