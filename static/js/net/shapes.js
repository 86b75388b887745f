// The shapes that travel between page and server, for the type checker only.

/** @typedef {{id: string, name: string}} User */

/** What programs add to a message; of it this page knows the message that another answers. @typedef {{replyTo?: string}} Data */

/** @typedef {'sending' | 'sent' | 'delivered' | 'failed'} Status */

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} localId
 * @property {string} room
 * @property {User} sender
 * @property {string} body
 * @property {string} createdAt
 * @property {Status} status
 * @property {string | null} cursor
 * @property {string | null} editedAt
 * @property {string | null} deletedAt
 * @property {boolean} [growing]
 * @property {Data | null} [data]
 */

/** @typedef {User & {online: boolean, lastSeenAt: string | null}} Member */

/** @typedef {{user: User, readCursor: string | null}} Receipt */

/**
 * @typedef {object} RoomInfo
 * @property {string} name
 * @property {string | null} title
 * @property {'public' | 'private' | 'direct'} visibility
 * @property {boolean} member
 * @property {string | null} owner
 * @property {number} memberCount
 * @property {Message | null} lastMessage
 * @property {number} [onlineCount]
 * @property {number} [unread]
 * @property {string | null} [readCursor]
 */

/**
 * An event of either transport. Which fields it has depends on `type`.
 * @typedef {object} ChatEvent
 * @property {string} type
 * @property {string | null} [cursor]
 * @property {string} [room]
 * @property {Message} [message]
 * @property {User} [user]
 * @property {string} [messageId]
 * @property {string} [localId]
 * @property {Status} [status]
 * @property {boolean} [typing]
 * @property {number} [onlineCount]
 * @property {{user: User, online: boolean}[]} [changes]
 * @property {Receipt[]} [receipts]
 * @property {number} [at]
 * @property {string} [text]
 * @property {number} [unread]
 * @property {string | null} [title]
 * @property {string | null} [owner]
 * @property {string} [reason]
 * @property {number} [retryAfterMs]
 */

/**
 * @typedef {object} HistoryPage
 * @property {Message[]} messages
 * @property {string | null} before
 * @property {string | null} after
 * @property {boolean} hasMore
 * @property {string} cursor
 */

/** @typedef {{events: ChatEvent[], cursor: string, more?: boolean, reset?: boolean}} PollAnswer */

/** @typedef {{rooms: RoomInfo[], after: string | null, cursor: string}} RoomsPage */

export {};
