import { MatroskaError } from '../errors.ts';
import { trackName } from '../recorder/recorder-command.ts';
import { type Element, elementAt, elementsIn, renewChecksum, voidId } from './ebml.ts';
import { type Patch, patchFile } from './patch-file.ts';

/** The track lies before the first cluster. */
const searchBytes = 64 * 1024;
const ids = { tracks: 0x1654ae6b, trackEntry: 0xae, defaultDuration: 0x23e383, name: 0x536e } as const;
/** Bytes of the element with a frame's duration: its id, its length, and four for the value. */
const durationBytes = 8;

/**
 * Writes the frame rate into a Matroska file, in place: ffmpeg 7 does not know the rate of frames whose timestamps a filter has
 * set, and knows some cameras' wrongly. The track's name makes room for it; a rate that is there already is removed.
 * @throws MatroskaError if the file has neither the rate nor the name
 */
export async function writeFrameRate(file: string, fps: number): Promise<void> {
  const isPatched = await patchFile(file, { bytes: searchBytes }, (head) => patchFrameRate(head, fps));
  if (!isPatched) throw new MatroskaError('the file has no place for a frame rate');
}

/** The bytes to write over the beginning of a Matroska file, and where. Undefined if it has no place for them. Pure. */
function patchFrameRate(head: Buffer, fps: number): Patch | undefined {
  const id = Buffer.from([0x16, 0x54, 0xae, 0x6b]);
  for (let at = head.indexOf(id); at >= 0; at = head.indexOf(id, at + 1)) {
    const tracks = elementAt(head, at);
    if (tracks === undefined || tracks.id !== ids.tracks) continue;
    const bytes = Buffer.from(head.subarray(tracks.body, tracks.end));
    if (!setDuration(bytes, Math.round(1e9 / fps))) continue;
    renewChecksum(bytes);
    return { offset: tracks.body, bytes };
  }
  return undefined;
}

/** Changes the tracks so that a frame lasts this many nanoseconds. Returns whether they say so now. */
function setDuration(tracks: Buffer, nanoseconds: number): boolean {
  const entry = elementsIn(tracks, 0, tracks.length).find(({ id }) => id === ids.trackEntry);
  if (entry === undefined) return false;
  const fields = elementsIn(tracks, entry.body, entry.end);
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
