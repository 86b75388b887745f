// Why a message was not sent or a form not accepted, in words.

/** @type {Record<string, string>} */
const REASONS = {
  forbidden: 'you are not a member of this room',
  not_found: 'this room is gone, or you may not read it',
  too_large: 'the message is too large',
  local_id_reused: 'another message was sent under its id',
  bad_origin: 'this page may not send from its address',
  room_exists: 'a room with this name exists already',
  method_not_allowed: 'the server does not allow it',
  network: 'the server does not answer',
  timeout: 'the server does not answer',
  foreign_answer: 'something between you and the server answered instead of it',
  unavailable: 'the server cannot do it right now',
  rate_limited: 'too many requests',
  internal: 'the server has a fault',
};

/**
 * @param {import('../net/api_error.js').ApiError} error
 * @returns {string} without a capital or a full stop, to stand inside a sentence
 */
export function reasonText(error) {
  const byField = Object.values(error.errors).flat().join('; ');
  if (byField) return asClause(byField);
  return REASONS[error.code] ?? asClause(error.detail || error.code);
}

/**
 * @param {import('../net/api_error.js').ApiError} error
 * @returns {import('../rooms/entry.js').Refusal}
 */
export function explain(error) {
  return { code: error.code, text: reasonText(error) };
}

/** @param {string} text */
function asClause(text) {
  const bare = text.replace(/\.\s*$/, '');
  return /^[A-Z][a-z]/.test(bare) ? bare[0].toLowerCase() + bare.slice(1) : bare;
}

/** @param {string} text */
export function asSentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
