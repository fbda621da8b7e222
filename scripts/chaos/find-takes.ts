import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, errorCode } from '../../common/errors.ts';
import { type TakeManifest, takeManifestSchema } from '../../media/masters/take/manifest.ts';
import { decodeMaster, referenceMd5 } from '../testing/take-files.ts';
import type { FoundMaster } from './check-take.ts';

/** A take's folder. */
export interface TakeFolder {
  readonly folder: string;
  /** Or why take.json cannot be understood. */
  readonly manifest: TakeManifest | string;
}

/** Every take on a disk. */
export async function findTakes(disk: string): Promise<TakeFolder[]> {
  const takes = join(disk, 'takes');
  const names = await readdir(takes).catch((error) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return await Promise.all(names.map((name) => readTakeFolder(join(takes, name))));
}

async function readTakeFolder(folder: string): Promise<TakeFolder> {
  try {
    const text = await readFile(join(folder, 'take.json'), 'utf8');
    return { folder, manifest: takeManifestSchema.parse(JSON.parse(text)) };
  } catch (error) {
    return { folder, manifest: describeError(error) };
  }
}

/** Decodes every master that the manifest names, one after the other: the machine is busy enough. */
export async function decodeMasters(
  folder: string,
  manifest: TakeManifest,
): Promise<Map<string, FoundMaster | string>> {
  const found = new Map<string, FoundMaster | string>();
  for (const { segments, source } of Object.values(manifest.cameras)) {
    for (const segment of segments) {
      try {
        const file = join(folder, segment.file);
        const content = await readFile(file);
        found.set(segment.file, {
          ...(await decodeMaster(file, source.width, source.height)),
          bytes: content.length,
          sha256: createHash('sha256').update(content).digest('hex'),
          reference: await referenceMd5({ folder, manifest }, segment),
        });
      } catch (error) {
        found.set(segment.file, describeError(error));
      }
    }
  }
  return found;
}
