// The idempotency key of one message: 32 hexadecimal digits, never used twice.

const RANDOM_BYTES = 16; // as many as a UUID; with fewer, two might be equal some day

/**
 * `crypto.randomUUID` is missing on insecure origins (http://192.168.…), getRandomValues is not.
 * @param {Pick<Crypto, 'getRandomValues'>} [source]
 */
export function newLocalId(source = globalThis.crypto) {
  const bytes = source.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
