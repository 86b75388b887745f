// The tabs of one user in one browser: one of them leads, and each hears what another says.

/**
 * @typedef {object} Tabs
 * @property {(won: () => void, lost: () => void, steal: boolean) => void} lead calls back when this tab leads, at once if
 * it steals; and when another has stolen it
 * @property {() => void} release this tab leads no longer
 * @property {(message: any) => void} say to all others; nothing after `leave`
 * @property {(hear: (message: any) => void) => void} listen
 * @property {() => void} leave
 */

/**
 * Null where the browser lacks what it takes: each tab is alone then.
 * @param {string} name the same in all tabs of one user
 * @param {{locks?: LockManager}} navigator
 * @param {typeof BroadcastChannel | undefined} Channel
 * @returns {Tabs | null}
 */
export function browserTabs(name, { locks }, Channel) {
  if (!locks || !Channel) return null; // an address without TLS has no locks
  const channel = new Channel(name);
  const waiting = new AbortController();
  /** @type {() => void} */
  let release = () => {};
  return {
    lead: (won, lost, steal) => {
      let stolen = false;
      const held = () => stolen ? undefined : new Promise((resolve) => {
        release = () => resolve(undefined);
        won();
      });
      // Whoever steals does not wait, and may not say how to stop waiting.
      locks.request(name, steal ? { steal } : { signal: waiting.signal }, held).catch(() => {
        stolen = true; // in some browsers before it was told that it had won
        if (!waiting.signal.aborted) lost();
      });
    },
    release: () => release(),
    say: (message) => { if (!waiting.signal.aborted) channel.postMessage(message); },
    listen: (hear) => { channel.onmessage = ({ data }) => hear(data); },
    leave: () => {
      waiting.abort();
      release();
      channel.close();
    },
  };
}
