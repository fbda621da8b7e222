import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readStrip } from '../../media/capture/strip.ts';
import { type Segment, type TakeManifest, takeManifestSchema } from '../../media/index.ts';

const run = promisify(execFile);

/** A take as it lies on disk. */
export interface TakeOnDisk {
  readonly folder: string;
  readonly manifest: TakeManifest;
}

/** Reads take.json of the take with this id from the data folder of an appliance. */
export async function readTake(data: string, id: string): Promise<TakeOnDisk> {
  const takes = join(data, 'takes');
  const name = (await readdir(takes)).find((folder) => folder.endsWith(`-${id}`));
  if (name === undefined) throw new Error(`no folder of take ${id} in ${takes}`);
  const folder = join(takes, name);
  const text = await readFile(join(folder, 'take.json'), 'utf8');
  return { folder, manifest: takeManifestSchema.parse(JSON.parse(text)) };
}

/** What an independent decoder finds in a master. */
export interface DecodedMaster {
  /** MD5 of each frame's samples, in order. */
  readonly md5: readonly string[];
  /** Number that each frame got where it was made, modulo 65536; null if none can be read. */
  readonly numbers: readonly (number | null)[];
  /** What the decoder complained about. */
  readonly complaints: string;
}

/** Decodes a master of the test picture with ffmpeg alone, and reads what is burnt into its frames. */
export async function decodeMaster(file: string, width: number, height: number): Promise<DecodedMaster> {
  const raw = ['-map', '0:v:0', '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'];
  const { stdout, stderr } = await run(
    'ffmpeg',
    ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'warning', '-i', file, ...raw],
    { encoding: 'buffer', maxBuffer: 1024 ** 3 },
  );
  const frameBytes = (width * height * 3) / 2;
  const md5: string[] = [];
  const numbers: (number | null)[] = [];
  for (let at = 0; at + frameBytes <= stdout.length; at += frameBytes) {
    const frame = stdout.subarray(at, at + frameBytes);
    md5.push(createHash('md5').update(frame).digest('hex'));
    numbers.push(readStrip({ data: frame, width, height })?.frame ?? null);
  }
  return { md5, numbers, complaints: stderr.toString().trim() };
}

/** MD5 of each frame as the recorder received it. */
export async function referenceMd5({ folder }: TakeOnDisk, segment: Segment): Promise<string[]> {
  const text = await readFile(join(folder, segment.framemd5.file), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)?.trim() ?? '');
}

/** Frames that are missing between numbers that should follow one another. */
export function missingNumbers(numbers: readonly (number | null)[]): number {
  let missing = 0;
  for (let index = 1; index < numbers.length; index += 1) {
    const [before, after] = [numbers[index - 1], numbers[index]];
    if (typeof before !== 'number' || typeof after !== 'number')
      throw new Error(`frame ${index} has no number`);
    missing += ((after - before + 65_536) % 65_536) - 1;
  }
  return missing;
}
