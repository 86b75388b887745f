// What went wrong with a request, in the terms that callers branch on.

/** Codes that this page makes up for answers that never came or were not ours. */
export const NO_ANSWER = 'network';
export const TIMED_OUT = 'timeout';
export const FOREIGN_ANSWER = 'foreign_answer';

export class ApiError extends Error {
  /**
   * @param {object} facts
   * @param {string} facts.code
   * @param {number} [facts.status] 0 when there was no answer
   * @param {boolean} facts.retryable
   * @param {number | null} [facts.retryAfterMs]
   * @param {string} [facts.detail]
   * @param {Record<string, string[]>} [facts.errors]
   */
  constructor({ code, status = 0, retryable, retryAfterMs = null, detail = '', errors = {} }) {
    super(detail || code);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.detail = detail;
    this.errors = errors;
  }

  get signedOut() {
    return this.status === 401;
  }
}

/**
 * @param {unknown} error
 * @returns {ApiError}
 */
export function asApiError(error) {
  if (error instanceof ApiError) return error;
  return new ApiError({ code: NO_ANSWER, retryable: true, detail: String(error) });
}

/**
 * @param {number} status
 * @param {any} problem the parsed body, or null when it was not JSON
 * @param {string | null} retryAfter the header, in seconds
 */
export function errorFromAnswer(status, problem, retryAfter) {
  // A 4xx that is not a problem document comes from something between us and the server
  // (a captive portal, a proxy): it says nothing about the request, so it is tried again.
  const ours = typeof problem?.code === 'string';
  return new ApiError({
    code: ours ? problem.code : FOREIGN_ANSWER,
    status: ours || status >= 500 || status === 413 ? status : 0,
    retryable: isRetryable(status, ours ? problem : null),
    retryAfterMs: retryAfterInMs(problem, retryAfter),
    detail: ours ? String(problem.detail ?? problem.title ?? '') : '',
    errors: ours && problem.errors ? problem.errors : {},
  });
}

/**
 * @param {number} status
 * @param {any} problem
 */
function isRetryable(status, problem) {
  if (status >= 500 || status === 408 || status === 425 || status === 429) return true;
  if (status === 413) return false; // proxies refuse large bodies themselves, and a retry is just as large
  return problem === null;
}

/**
 * @param {any} problem
 * @param {string | null} header
 */
function retryAfterInMs(problem, header) {
  if (Number.isFinite(problem?.retryAfterMs)) return Number(problem.retryAfterMs);
  const seconds = header === null ? NaN : Number(header);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}
