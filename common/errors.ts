/** Cause and hint of an error. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** What a person can do about it, as a sentence. */
  readonly hint?: string;
}

/** Base of every error the product throws on purpose. `code` is a literal that callers may branch on. */
export abstract class RushlightError extends Error {
  abstract readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
  }
}

/**
 * The text of anything thrown, with its causes: `cannot start ffmpeg: spawn ffmpeg ENOENT`. No text is repeated, and wrappers
 * without a text of their own (fetch's, an aggregate's) are left out.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What failed first, then what failed while clearing up after it.
  if (error instanceof SuppressedError)
    return [...new Set([error.suppressed, error.error].map(describeError))].join(', then ');
  const own = error.message === 'fetch failed' && error.cause !== undefined ? '' : error.message;
  const causes =
    error instanceof AggregateError && own === ''
      ? error.errors
      : error.cause === undefined
        ? []
        : [error.cause];
  const parts = [...new Set(causes.map(describeError))].filter((text) => text !== '' && !own.includes(text));
  if (parts.length === 0) return own === '' ? error.name : own;
  return own === '' ? parts.join(', ') : `${own.replace(/\.$/, '')}: ${parts.join(', ')}`;
}

/**
 * The error's own text, without its causes: for a sentence that people read where the causes would be a program's output. Log
 * the error beside it.
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (`ENOENT`) or of one of ours. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether an error has one of these codes. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errorCode(error) ?? '');
}
