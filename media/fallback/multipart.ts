/** `multipart/x-mixed-replace` bodies (RFC 2046, section 5.1), in which network cameras send motion JPEG. */
import { ByteQueue } from './byte-queue.ts';
import { PictureError } from './errors.ts';

const maxHeaderBytes = 8 * 1024;
/** Names of headers are shorter. */
const maxNameBytes = 64;
const headEnd = Buffer.from('\r\n\r\n');

/**
 * The boundary of a Content-Type. Throws PictureError MULTIPART_INVALID if the type is another one. Many cameras write the
 * leading dashes of the delimiter into the parameter, too.
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
  readonly #rest = new ByteQueue();
  /** Length of the body of the part being read: null before its headers, undefined if they do not say. */
  #length: number | null | undefined = null;
  /** How much of the rest was searched without result. */
  #searched = 0;
  /** Bytes before the first part; some servers begin with its headers, without a delimiter. */
  #preamble: 'unknown' | 'headers' | 'text' | 'over' = 'unknown';

  constructor(boundary: string, maxPartBytes: number) {
    this.#delimiter = Buffer.from(`--${boundary}`);
    this.#maxPartBytes = maxPartBytes;
  }

  /** The parts that are complete with this chunk, in order. Throws PictureError MULTIPART_INVALID. */
  push(chunk: Buffer): Buffer[] {
    this.#rest.append(chunk);
    const parts: Buffer[] = [];
    while (this.#length === null ? this.#takeHead() : this.#takeBody(this.#length, parts));
    return parts;
  }

  /** True if the headers of the next part were there. */
  #takeHead(): boolean {
    const begin = this.#headBegin();
    const end = begin < 0 ? -1 : this.#rest.bytes.indexOf(headEnd, begin);
    if (end < 0) {
      if (this.#rest.length > maxHeaderBytes + this.#delimiter.length) throw tooLong('the head of a part');
      return false;
    }
    this.#length = lengthIn(this.#rest.bytes.toString('latin1', begin, end));
    if (this.#length !== undefined && this.#length > this.#maxPartBytes) throw tooLong('a part');
    this.#drop(end + headEnd.length);
    this.#preamble = 'over';
    return true;
  }

  /** Where the headers of the next part begin; -1 if unknown yet. */
  #headBegin(): number {
    if (this.#preamble === 'unknown') {
      const start = startOf(
        this.#rest.bytes.toString('latin1', 0, Math.min(this.#rest.length, maxNameBytes)),
      );
      if (start === 'open') return -1;
      this.#preamble = start;
    }
    if (this.#preamble === 'headers') return 0;
    const at = this.#rest.bytes.indexOf(this.#delimiter);
    if (at >= 0) return at + this.#delimiter.length;
    // Text before the first delimiter is for readers of mail (RFC 2046, section 5.1.1).
    if (this.#preamble === 'text') this.#drop(this.#rest.length - this.#delimiter.length + 1);
    return -1;
  }

  /** True if the whole body was there. */
  #takeBody(length: number | undefined, parts: Buffer[]): boolean {
    const { bytes } = this.#rest;
    let end = length ?? bytes.indexOf(this.#delimiter, this.#searched);
    if (end < 0 || end > bytes.length) {
      if (bytes.length > this.#maxPartBytes + this.#delimiter.length) throw tooLong('a part');
      this.#searched = Math.max(0, bytes.length - this.#delimiter.length + 1);
      return false;
    }
    const next = end;
    if (length === undefined && end >= 2 && bytes[end - 2] === 0x0d && bytes[end - 1] === 0x0a) end -= 2;
    parts.push(Buffer.from(bytes.subarray(0, end)));
    this.#drop(next);
    this.#length = null;
    return true;
  }

  #drop(count: number): void {
    if (count > 0) this.#rest.drop(count);
    this.#searched = 0;
  }
}

/** Whether a body begins with the headers of its first part, without a delimiter; undecided if too little of it is there. */
function startOf(text: string): 'headers' | 'text' | 'open' {
  const line = text.replace(/^\r\n/, '').toLowerCase();
  if (/^content-[a-z-]+:/.test(line)) return 'headers';
  const goesOn = line === '\r' || 'content-'.startsWith(line) || /^content-[a-z-]*$/.test(line);
  return goesOn && text.length < maxNameBytes ? 'open' : 'text';
}

function lengthIn(head: string): number | undefined {
  const digits = /^content-length:\s*(\d{1,10})\s*$/im.exec(head)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function tooLong(what: string): PictureError {
  return new PictureError('MULTIPART_INVALID', `${what} of the stream is too long`);
}
