import { MatroskaError } from '../errors.ts';
import { timecodePlaceholder } from '../recorder/recorder-command.ts';
import { crc32Id, elementAt, renewChecksum, voidId } from './ebml.ts';
import { type Patch, patchFile } from './patch-file.ts';

/** Tags lie before the first cluster, or behind the last; both are searched within this distance of the file's ends. */
const searchBytes = 256 * 1024;
const tagsId = Buffer.from([0x12, 0x54, 0xc3, 0x67]);
const tagId = Buffer.from([0x73, 0x73]);
const tagStringId = Buffer.from([0x44, 0x87]);

/**
 * Writes the timecode of the first frame into a finished Matroska file, in place: it is unknown when ffmpeg writes the header.
 * The placeholder has the same length; the CRC-32 of the Tags element (RFC 8794 section 11.3.1) is recomputed.
 * @throws MatroskaError if the file has no placeholder
 */
export async function writeTimecode(file: string, timecode: string): Promise<void> {
  const search = { bytes: searchBytes, fromEnd: true };
  const isPatched = await patchFile(file, search, (stretch) => patchTimecode(stretch, timecode));
  if (!isPatched) throw new MatroskaError('the file has no place for a timecode');
}

/** The bytes to write over a stretch of a Matroska file, and where. Undefined if the stretch has no placeholder. Pure. */
export function patchTimecode(stretch: Buffer, timecode: string): Patch | undefined {
  if (timecode.length !== timecodePlaceholder.length) {
    throw new MatroskaError(
      `a timecode has ${timecodePlaceholder.length} characters, not ${timecode.length}`,
    );
  }
  const size = 0x80 | timecodePlaceholder.length;
  const needle = Buffer.concat([tagStringId, Buffer.from([size]), Buffer.from(timecodePlaceholder)]);
  for (let start = stretch.indexOf(tagsId); start >= 0; start = stretch.indexOf(tagsId, start + 1)) {
    const tags = elementAt(stretch, start);
    if (tags === undefined) continue;
    const bytes = Buffer.from(stretch.subarray(tags.body, tags.end));
    // The id of Tags also occurs in the SeekHead; what follows it there is no element.
    if (!beginsAsTags(bytes)) continue;
    const found = bytes.indexOf(needle);
    if (found < 0) continue;
    bytes.write(timecode, found + tagStringId.length + 1, 'ascii');
    renewChecksum(bytes);
    return { offset: tags.body, bytes };
  }
  return undefined;
}

/**
 * With a tag, or with a checksum. While a file grows, ffmpeg reserves the place of the checksum by a Void element; in a file
 * that was cut off it stays.
 */
function beginsAsTags(body: Buffer): boolean {
  const hasChecksumPlace = (body[0] === crc32Id || body[0] === voidId) && body[1] === 0x84;
  return hasChecksumPlace || body.subarray(0, tagId.length).equals(tagId);
}
