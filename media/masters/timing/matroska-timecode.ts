import { constants } from 'node:fs';
import { crc32 } from 'node:zlib';
import { open } from '../../../common/disk-fs.ts';
import { MatroskaError } from '../errors.ts';
import { timecodePlaceholder } from '../recorder/recorder-command.ts';

/** Tags lie before the first cluster, or behind the last; both are searched within this distance of the file's ends. */
const searchBytes = 256 * 1024;
const tagsId = Buffer.from([0x12, 0x54, 0xc3, 0x67]);
const tagId = Buffer.from([0x73, 0x73]);
const crc32Id = 0xbf;
/** While a file grows, ffmpeg reserves the place of the checksum by a Void element; in a file that was cut off it stays. */
const voidId = 0xec;
const tagStringId = Buffer.from([0x44, 0x87]);

/**
 * Writes the timecode of the first frame into a finished Matroska file, in place: it is unknown when ffmpeg writes the header.
 * The placeholder has the same length; the CRC-32 of the Tags element (RFC 8794 section 11.3.1) is recomputed.
 * @throws MatroskaError if the file has no placeholder
 */
export async function writeTimecode(file: string, timecode: string): Promise<void> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    // With a second name elsewhere it would be another person's file, too.
    if (!found.isFile() || found.nlink > 1)
      throw new MatroskaError('it is not a file, or has more than one name');
    const { size } = found;
    for (const position of new Set([0, Math.max(0, size - searchBytes)])) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(searchBytes), 0, searchBytes, position);
      const patch = patchTimecode(buffer.subarray(0, bytesRead), timecode);
      if (patch === undefined) continue;
      await handle.write(patch.bytes, 0, patch.bytes.length, position + patch.offset);
      await handle.datasync();
      return;
    }
    throw new MatroskaError('the file has no place for a timecode');
  } finally {
    await handle.close();
  }
}

/** The bytes to write over a stretch of a Matroska file, and where. Undefined if the stretch has no placeholder. Pure. */
export function patchTimecode(
  stretch: Buffer,
  timecode: string,
): { readonly offset: number; readonly bytes: Buffer } | undefined {
  if (timecode.length !== timecodePlaceholder.length) {
    throw new MatroskaError(
      `a timecode has ${timecodePlaceholder.length} characters, not ${timecode.length}`,
    );
  }
  const size = 0x80 | timecodePlaceholder.length;
  const needle = Buffer.concat([tagStringId, Buffer.from([size]), Buffer.from(timecodePlaceholder)]);
  for (let start = stretch.indexOf(tagsId); start >= 0; start = stretch.indexOf(tagsId, start + 1)) {
    const body = elementBody(stretch, start + tagsId.length);
    if (body === undefined) continue;
    const bytes = Buffer.from(stretch.subarray(body.start, body.end));
    const checked = bytes[0] === crc32Id && bytes[1] === 0x84;
    const unchecked = bytes[0] === voidId && bytes[1] === 0x84;
    // The id of Tags also occurs in the SeekHead; what follows it there is no element.
    if (!checked && !unchecked && !bytes.subarray(0, tagId.length).equals(tagId)) continue;
    const found = bytes.indexOf(needle);
    if (found < 0) continue;
    bytes.write(timecode, found + tagStringId.length + 1, 'ascii');
    if (checked) bytes.writeUInt32LE(crc32(bytes.subarray(6)), 2);
    return { offset: body.start, bytes };
  }
  return undefined;
}

/** Where the body of an EBML element lies whose size field starts at `at` (RFC 8794 section 6). */
function elementBody(stretch: Buffer, at: number): { start: number; end: number } | undefined {
  const lead = stretch[at] ?? 0;
  const length = Math.clz32(lead) - 23;
  if (lead === 0 || at + length > stretch.length) return undefined;
  let size = lead & (0xff >> length);
  for (let index = 1; index < length; index += 1) size = size * 256 + (stretch[at + index] ?? 0);
  const start = at + length;
  return start + size <= stretch.length ? { start, end: start + size } : undefined;
}
