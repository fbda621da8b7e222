import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The boards' image is there and may not be released. */
export class BoardImageError extends Error {
  readonly code = 'board-image';
}

/**
 * The image that `image/build pi` left in a folder last; null if there is none. Throws a {@link BoardImageError} if it is not of
 * this commit, or made with stand-ins for Raspberry Pi's packages.
 */
export function newestBoardImage(folder: string, commit: string): string | null {
  if (!existsSync(folder)) return null;
  // pi-gen's names begin with the day: the last one is the newest.
  const name = readdirSync(folder)
    .filter((one) => one.endsWith('.img'))
    .sort()
    .at(-1);
  if (name === undefined) return null;
  const image = join(folder, name);
  const manifest = image.replace(/\.img$/, '.manifest.txt');
  const problem = boardImageProblem(existsSync(manifest) ? readFileSync(manifest, 'utf8') : '', commit);
  if (problem !== null) throw new BoardImageError(`${image}: ${problem}; build it again: image/build pi`);
  return image;
}

/** Why an image with this manifest (image/lib/report.sh) is not to be released from this commit; null if it is. Pure. */
export function boardImageProblem(manifest: string, commit: string): string | null {
  if (/^\S+ \S*standin\S*( |$)/m.test(manifest))
    return 'it has packages that stand in for those of Raspberry Pi';
  const source = /^source (\S+)$/m.exec(manifest)?.[1] ?? 'unknown';
  return source === commit ? null : `it was made from commit ${source}, and the release is of ${commit}`;
}
