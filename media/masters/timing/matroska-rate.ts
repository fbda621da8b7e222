import { constants } from 'node:fs';
import { crc32 } from 'node:zlib';
import { open } from '../../../common/disk-fs.ts';
import { MatroskaError } from '../errors.ts';
import { trackName } from '../recorder/recorder-command.ts';

/** The track lies before the first cluster. */
const searchBytes = 64 * 1024;
const ids = { tracks: 0x1654ae6b, trackEntry: 0xae, defaultDuration: 0x23e383, name: 0x536e } as const;
const crc32Id = 0xbf;
const voidId = 0xec;
/** Bytes of the element with a frame's duration: its id, its length, and four for the value. */
const durationBytes = 8;

/**
 * Writes the frame rate into a Matroska file, in place: ffmpeg 7 does not know the rate of frames whose timestamps a filter has
 * set, and knows some cameras' wrongly. The track's name makes room for it; a rate that is there already is removed.
 * @throws MatroskaError if the file has neither the rate nor the name
 */
export async function writeFrameRate(file: string, fps: number): Promise<void> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    // With a second name elsewhere it would be another person's file, too.
    if (!found.isFile() || found.nlink > 1)
      throw new MatroskaError('it is not a file, or has more than one name');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(searchBytes), 0, searchBytes, 0);
    const patch = patchFrameRate(buffer.subarray(0, bytesRead), fps);
    if (patch === undefined) throw new MatroskaError('the file has no place for a frame rate');
    await handle.write(patch.bytes, 0, patch.bytes.length, patch.offset);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** The bytes to write over the beginning of a Matroska file, and where. Undefined if it has no place for them. Pure. */
export function patchFrameRate(
  head: Buffer,
  fps: number,
): { readonly offset: number; readonly bytes: Buffer } | undefined {
  const id = Buffer.from([0x16, 0x54, 0xae, 0x6b]);
  for (let at = head.indexOf(id); at >= 0; at = head.indexOf(id, at + 1)) {
    const tracks = elementAt(head, at);
    if (tracks === undefined || tracks.id !== ids.tracks) continue;
    const bytes = Buffer.from(head.subarray(tracks.body, tracks.end));
    if (!setDuration(bytes, Math.round(1e9 / fps))) continue;
    if (bytes[0] === crc32Id && bytes[1] === 0x84) bytes.writeUInt32LE(crc32(bytes.subarray(6)), 2);
    return { offset: tracks.body, bytes };
  }
  return undefined;
}

/** Changes the tracks so that a frame lasts this many nanoseconds. Returns whether they say so now. */
function setDuration(tracks: Buffer, nanoseconds: number): boolean {
  const entry = children(tracks, 0, tracks.length).find(({ id }) => id === ids.trackEntry);
  if (entry === undefined) return false;
  const fields = children(tracks, entry.body, entry.end);
  const stated = fields.filter(({ id }) => id === ids.defaultDuration);
  const value = ({ body, end }: Element) => tracks.readUIntBE(body, Math.min(6, end - body));
  if (stated.length === 1 && stated.every((field) => field.end > field.body && value(field) === nanoseconds))
    return true;
  const name = fields.find(({ id }) => id === ids.name);
  const ours = name !== undefined && tracks.toString('latin1', name.body, name.end) === trackName;
  if (!ours || name.end - name.at < durationBytes + 2) return false;
  for (const { at, end } of stated) writeVoid(tracks, at, end);
  tracks.writeUInt32BE(ids.defaultDuration * 256 + 0x84, name.at);
  tracks.writeUInt32BE(nanoseconds, name.at + 4);
  writeVoid(tracks, name.at + durationBytes, name.end);
  return true;
}

/** An element without meaning, in the place of another of less than 128 bytes. */
function writeVoid(bytes: Buffer, from: number, end: number): void {
  bytes.fill(0, from, end);
  bytes[from] = voidId;
  bytes[from + 1] = 0x80 | (end - from - 2);
}

interface Element {
  readonly id: number;
  readonly at: number;
  readonly body: number;
  readonly end: number;
}

function children(bytes: Buffer, from: number, end: number): Element[] {
  const found: Element[] = [];
  for (let at = from; at < end; ) {
    const element = elementAt(bytes, at);
    if (element === undefined || element.end > end) break;
    found.push(element);
    at = element.end;
  }
  return found;
}

/** An EBML element (RFC 8794 sections 5 and 6); undefined if there is none, or not all of it. */
function elementAt(bytes: Buffer, at: number): Element | undefined {
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
