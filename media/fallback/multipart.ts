/** `multipart/x-mixed-replace` bodies (RFC 2046, section 5.1), as network cameras send motion JPEG in them. */
import { PictureError } from './errors.ts';

const maxHeaderBytes = 8 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

/**
 * The boundary of a Content-Type. Throws PictureError MULTIPART_INVALID where the type is another one.
 * Many cameras write the leading dashes of the delimiter into the parameter, too.
 */
export function boundaryOf(contentType: string | null): string {
  const match =
    /^multipart\/x-mixed-replace\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(
      contentType ?? '',
    );
  const boundary = (match?.[1] ?? match?.[2])?.replace(/^--/, '');
  if (boundary === undefined || boundary === '') {
    const what = contentType === null ? 'a body without a type' : contentType.slice(0, 100);
    throw new PictureError('MULTIPART_INVALID', `not a stream of pictures but ${what}`);
  }
  return boundary;
}

/** Cuts such a body into the bodies of its parts. A part without Content-Length ends at the next delimiter. */
export class MultipartParser {
  readonly #delimiter: Buffer;
  readonly #maxPartBytes: number;
  #rest: Buffer = Buffer.alloc(0);
  /** Length of the body of the part being read: null before its headers, undefined where they give none. */
  #length: number | null | undefined = null;

  constructor(boundary: string, maxPartBytes: number) {
    this.#delimiter = Buffer.from(`--${boundary}`);
    this.#maxPartBytes = maxPartBytes;
  }

  /** The parts that are complete with this chunk, in order. Throws PictureError MULTIPART_INVALID. */
  push(chunk: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const parts: Buffer[] = [];
    while (this.#length === null ? this.#takeHead() : this.#takeBody(this.#length, parts));
    this.#rest = Buffer.from(this.#rest);
    return parts;
  }

  /** True where the headers of the next part were there. */
  #takeHead(): boolean {
    const begin = this.#rest.indexOf(this.#delimiter);
    const end = begin < 0 ? -1 : this.#rest.indexOf(headEnd, begin);
    if (end < 0) {
      if (this.#rest.length > maxHeaderBytes + this.#delimiter.length) throw tooLong('the head of a part');
      return false;
    }
    this.#length = lengthIn(this.#rest.toString('latin1', begin + this.#delimiter.length, end));
    if (this.#length !== undefined && this.#length > this.#maxPartBytes) throw tooLong('a part');
    this.#rest = this.#rest.subarray(end + headEnd.length);
    return true;
  }

  /** True where the body was there, whole. */
  #takeBody(length: number | undefined, parts: Buffer[]): boolean {
    let end = length ?? this.#rest.indexOf(this.#delimiter);
    if (end < 0 || end > this.#rest.length) {
      if (this.#rest.length > this.#maxPartBytes + this.#delimiter.length) throw tooLong('a part');
      return false;
    }
    const next = end;
    if (length === undefined && end >= 2 && this.#rest[end - 2] === 0x0d && this.#rest[end - 1] === 0x0a)
      end -= 2;
    parts.push(Buffer.from(this.#rest.subarray(0, end)));
    this.#rest = this.#rest.subarray(next);
    this.#length = null;
    return true;
  }
}

function lengthIn(head: string): number | undefined {
  const digits = /^content-length:\s*(\d{1,10})\s*$/im.exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function tooLong(what: string): PictureError {
  return new PictureError('MULTIPART_INVALID', `${what} of the stream is too long`);
}
