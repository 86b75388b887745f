// Made-up values that tests share.

/** @typedef {import('../../static/js/net/shapes.js').Message} Message */

export const ADA = { id: 'u_ada', name: 'Ada' };
export const BOB = { id: 'u_bob', name: 'Bob' };

/**
 * @param {Partial<Message>} [fields]
 * @returns {Message}
 */
export function message(fields = {}) {
  return {
    id: 'm1', localId: 'local-0001', room: 'general', sender: BOB, body: 'hello',
    createdAt: '2026-11-22T10:00:00.000Z', status: 'sent', cursor: '100-0', editedAt: null, deletedAt: null, ...fields,
  };
}

/** @param {Partial<import('../../static/js/rooms/entry.js').Entry>} [fields] */
export function draft(fields = {}) {
  return { localId: 'local-0001', room: 'general', body: 'hello', createdAt: '2026-11-22T10:00:00.000Z', sender: ADA, ...fields };
}
