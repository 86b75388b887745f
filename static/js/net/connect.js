// A tab's connection: one for all tabs of a user where the browser has what it takes, else one for each that is seen.

import { Connection } from './connection.js';
import { OneConnection } from './one_connection.js';

const HIDDEN_HELD_MS = 5_000; // somebody looks something up in another tab

/**
 * @typedef {object} Link
 * @property {Connection | OneConnection} connection
 * @property {(visible: boolean) => void} setVisible
 */

/**
 * @param {object} parts
 * @param {string} parts.me which tab this is
 * @param {import('./tabs.js').Tabs | null} parts.tabs null where each tab is alone
 * @param {() => boolean} parts.visible
 * @param {(cursor: string) => Promise<import('./shapes.js').PollAnswer>} parts.catchUp a poll that does not wait
 * @param {ConstructorParameters<typeof Connection>[0]} parts.connection
 * @returns {Link}
 */
export function connect({ me, tabs, visible, catchUp, connection }) {
  // Whoever asks for a transport gets one of their own.
  if (connection.forced) return { connection: new Connection(connection), setVisible: () => {} };
  if (!tabs) return whileSeen(new Connection(connection), connection.clock);
  return { connection: new OneConnection({ me, tabs, visible, catchUp, connection }), setVisible: () => {} };
}

/**
 * Hidden tabs must not use up the browser's few connections: the seventh could not even send.
 * @param {Connection} connection
 * @param {import('./clock.js').Clock} clock
 * @returns {Link}
 */
function whileSeen(connection, clock) {
  /** @type {any} */
  let timer = null;
  let hidden = false;
  return {
    connection,
    setVisible: (visible) => {
      clock.clearTimeout(timer);
      if (visible && hidden) connection.start(connection.cursor);
      hidden = false;
      if (visible || connection.state.phase === 'stopped') return;
      timer = clock.setTimeout(() => {
        hidden = connection.state.phase !== 'stopped'; // else the session has ended meanwhile
        connection.stop();
      }, HIDDEN_HELD_MS);
    },
  };
}
