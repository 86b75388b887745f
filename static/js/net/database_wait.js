// Waiting for the browser's database, which may never answer: each wait has an end.

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const ANSWER_WITHIN_MS = 2_000; // a write takes some milliseconds; somebody waits for it before a message is sent

/**
 * @template T
 * @param {Promise<T>} answer
 * @param {import('./clock.js').Clock} clock
 * @returns {Promise<T>}
 */
export function inTime(answer, clock) {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error('the database does not answer')), ANSWER_WITHIN_MS);
    answer.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
