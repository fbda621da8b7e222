import { ApiError } from '../api-error.ts';

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * One `Range: bytes=…` (RFC 9110, 14.1.2) of a file of `size` bytes. Null where the header is absent, not in bytes or
 * names several ranges: the whole file is then the right answer. Throws RANGE_UNSATISFIABLE.
 */
export function parseByteRange(header: string, size: number): ByteRange | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  const nothingAsked = first === '' && Number(last) === 0;
  if (start >= size || end < start || nothingAsked) {
    throw new ApiError('RANGE_UNSATISFIABLE', `The file has ${size} bytes.`);
  }
  return { start, end };
}
