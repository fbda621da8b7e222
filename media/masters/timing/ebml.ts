/** The elements of a Matroska file (EBML, RFC 8794). */

import { crc32 } from 'node:zlib';

/** Ids of elements that any other may contain. */
export const crc32Id = 0xbf;
export const voidId = 0xec;

/** An element and where it, its body and its end lie, in bytes. */
export interface Element {
  readonly id: number;
  readonly at: number;
  readonly body: number;
  readonly end: number;
}

/** The element at a place (sections 5 and 6); undefined if there is none, or not all of it. */
export function elementAt(bytes: Buffer, at: number): Element | undefined {
  const idLength = Math.clz32(bytes[at] ?? 0) - 23;
  if (idLength > 4 || at + idLength >= bytes.length) return undefined;
  const id = bytes.readUIntBE(at, idLength);
  const lead = bytes[at + idLength] ?? 0;
  const length = Math.clz32(lead) - 23;
  if (length > 8 || at + idLength + length > bytes.length) return undefined;
  let size = lead & (0xff >> length);
  for (let index = 1; index < length; index += 1) size = size * 256 + (bytes[at + idLength + index] ?? 0);
  const body = at + idLength + length;
  return body + size <= bytes.length ? { id, at, body, end: body + size } : undefined;
}

/** The elements that follow each other in a stretch. */
export function elementsIn(bytes: Buffer, from: number, end: number): Element[] {
  const found: Element[] = [];
  for (let at = from; at < end; ) {
    const element = elementAt(bytes, at);
    if (element === undefined || element.end > end) break;
    found.push(element);
    at = element.end;
  }
  return found;
}

/** Recomputes the CRC-32 of a changed body (section 11.3.1), if it begins with one. */
export function renewChecksum(body: Buffer): void {
  if (body[0] === crc32Id && body[1] === 0x84) body.writeUInt32LE(crc32(body.subarray(6)), 2);
}
