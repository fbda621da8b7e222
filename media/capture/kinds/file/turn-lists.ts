import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../../../common/files.ts';

/** So often each of the two lists repeats what it names: a million turns, after which the pipeline begins again. */
const turns = 1000;

/**
 * Writes a list, for ffmpeg's reader of lists, that repeats a file as good as for ever. Every bitstream filter of an output ends
 * with the first turn of `-stream_loop` (seen with ffmpeg 5.1); a list has no end to pass on to them.
 * @param list path of the list; a second one is written next to it
 */
export async function writeTurnLists(list: string, file: string): Promise<void> {
  await mkdir(dirname(list), { recursive: true });
  const one = `${list}.turns`;
  await writeFileAtomic(one, listOf(file));
  await writeFileAtomic(list, listOf(one));
}

function listOf(file: string): string {
  return `ffconcat version 1.0\n${`file ${quoted(file)}\noption safe 0\n`.repeat(turns)}`;
}

/** A file as a list names it. */
export function quoted(file: string): string {
  return `'file:${file.replaceAll("'", "'\\''")}'`;
}
