// How far the others in a small room have read it.

import { compareCursors } from '../net/cursor.js';

/**
 * @typedef {import('../net/shapes.js').Receipt} Receipt
 * @typedef {import('./entry.js').Entry} Entry
 */

export const SMALL = 50; // in larger rooms the server does not say

export class Readers {
  /** By user id. @type {Map<string, Receipt>} */
  #receipts = new Map();
  #myId;

  /** @param {string} myId */
  constructor(myId) {
    this.#myId = myId;
  }

  /** @param {Receipt[]} receipts news, or all of them */
  take(receipts) {
    for (const receipt of receipts) {
      const before = this.#receipts.get(receipt.user.id)?.readCursor;
      const { readCursor } = receipt;
      if (!before || (readCursor && compareCursors(readCursor, before) > 0)) this.#receipts.set(receipt.user.id, receipt);
    }
  }

  /** @param {string} userId who is not in the room any more */
  forget(userId) {
    this.#receipts.delete(userId);
  }

  /**
   * Who has read this message.
   * @param {Pick<Entry, 'cursor'>} entry
   * @returns {string[]} names
   */
  of({ cursor }) {
    if (!cursor) return [];
    const read = [...this.#receipts.values()].filter(
      ({ user, readCursor }) => user.id !== this.#myId && readCursor && compareCursors(readCursor, cursor) >= 0,
    );
    return read.map(({ user }) => user.name).sort((a, b) => a.localeCompare(b));
  }
}
