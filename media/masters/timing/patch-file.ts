import { constants } from 'node:fs';
import { open } from '../../../common/disk-fs.ts';
import { MatroskaError } from '../errors.ts';

/** Bytes to write over those at an offset. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** Where in a file to look for a place to patch. */
interface Search {
  /** Length of the stretch that is looked at. */
  readonly bytes: number;
  /** Also at the file's end. */
  readonly fromEnd?: boolean;
}

/**
 * Writes a patch into a file, in place, and syncs it. Returns whether there was a place for it.
 * @throws MatroskaError if it is not a file of its own
 */
export async function patchFile(
  file: string,
  { bytes: length, fromEnd = false }: Search,
  patchOf: (stretch: Buffer) => Patch | undefined,
): Promise<boolean> {
  await using handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = await handle.stat();
  // With a second name elsewhere it would be another person's file, too.
  if (!found.isFile() || found.nlink > 1)
    throw new MatroskaError('it is not a file, or has more than one name');
  for (const position of new Set([0, fromEnd ? Math.max(0, found.size - length) : 0])) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
    const patch = patchOf(buffer.subarray(0, bytesRead));
    if (patch === undefined) continue;
    await handle.write(patch.bytes, 0, patch.bytes.length, position + patch.offset);
    await handle.datasync();
    return true;
  }
  return false;
}
