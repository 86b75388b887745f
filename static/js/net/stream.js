// Server-Sent Events through the browser's own EventSource.

/** @typedef {import('./transport.js').Listener} Listener */

const EVENT_TYPES = [
  'ready', 'heartbeat', 'closing', 'reset',
  'message.created', 'message.updated', 'message.deleted', 'message.status',
  'message.grew', 'member.joined', 'member.left', 'room.updated', 'room.deleted', 'presence', 'read', 'receipt', 'typing',
];

const CLOSED = 2; // EventSource.CLOSED, written out because the class is handed in

/**
 * @param {object} parts
 * @param {typeof EventSource} parts.EventSource
 * @param {(since: string) => string} parts.url
 * @returns {import('./transport.js').OpenTransport}
 */
export function streamTransport({ EventSource, url }) {
  return (since, listener) => {
    const source = new EventSource(url(since));
    let announcedEnd = false;

    const drop = (/** @type {import('./transport.js').Loss} */ loss) => {
      source.close();
      listener.dropped(loss, null);
    };

    for (const type of EVENT_TYPES) {
      source.addEventListener(type, (message) => {
        const event = parseEvent(type, message.data);
        if (!event) return;
        announcedEnd = type === 'closing';
        listener.event(event, message.lastEventId || null);
      });
    }

    source.onerror = () => {
      if (source.readyState === CLOSED) return drop('ended');
      // After `closing` the browser reconnects by itself with Last-Event-ID: the next error is the announced
      // end. Any other error is a loss, and the connection decides how long to wait.
      if (announcedEnd) announcedEnd = false;
      else drop('lost');
    };

    return { close: () => source.close() };
  };
}

/**
 * @param {string} type
 * @param {string} data
 * @returns {import('./shapes.js').ChatEvent | null}
 */
function parseEvent(type, data) {
  try {
    return { ...JSON.parse(data), type };
  } catch {
    console.error('not JSON in event', type, data); // one bad event must not stop the rest
    return null;
  }
}
