import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { listEntries, lstat } from '../../../common/disk-fs.ts';
import { type CameraRecord, type Segment, type TakeManifest, unknownSegment } from './manifest.ts';

const takeFolder = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z0-9][a-z0-9-]{0,62})$/;
const plainCamera = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const masterFile = /^(\d{4,9})\.mkv$/;
const unknownSource: CameraRecord['source'] = {
  codec: 'rawvideo',
  pixelFormat: 'yuv420p',
  range: 'limited',
  fps: 1,
  width: 0,
  height: 0,
  clock: 'epoch',
};

/** Whether a folder has a take's name, so that it counts as one even without a take.json. Pure. */
export function isTakeFolderName(name: string): boolean {
  return takeFolder.test(name);
}

/**
 * What is known about a take whose take.json cannot be understood: when it began, from the name of its folder, and which
 * masters lie there. They can only be downloaded and deleted. Rejects with the system's error if the folder cannot be read.
 */
export async function damagedManifest(folder: string, why: string): Promise<TakeManifest> {
  const { mtime } = await lstat(folder);
  const reason = `its take.json is damaged (${why}); the masters that are there are kept, and nothing is known about them`;
  const cameras: Record<string, CameraRecord> = {};
  for (const entry of await listEntries(folder)) {
    if (!entry.isDirectory() || !plainCamera.test(entry.name)) continue;
    cameras[entry.name] = recordOf(await mastersIn(folder, entry.name), reason.slice(0, 2000));
  }
  const name = basename(folder);
  const startedAt = startOf(name) ?? mtime.toISOString();
  return {
    version: 1,
    id: idOf(name),
    startedAt,
    stoppedAt: startedAt,
    wanted: false,
    state: 'failed',
    cameras,
  };
}

/** An id for a take whose own id is unknown. Pure. */
export function fallbackId(name: string): string {
  return `damaged-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

function idOf(name: string): string {
  return takeFolder.exec(name)?.[7] ?? fallbackId(name);
}

function startOf(name: string): string | undefined {
  const [, year, month, day, hour, minute, second] = takeFolder.exec(name) ?? [];
  if (year === undefined) return undefined;
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

async function mastersIn(folder: string, camera: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const entry of await listEntries(join(folder, camera))) {
    const number = Number(masterFile.exec(entry.name)?.[1]);
    if (!entry.isFile() || !(number >= 1)) continue;
    const { size } = await lstat(join(folder, camera, entry.name));
    segments.push({
      ...unknownSegment,
      number,
      state: 'closed',
      file: `${camera}/${entry.name}`,
      bytes: size,
      framemd5: { file: `${camera}/0001.framemd5`, sha256: null },
    });
  }
  return segments.toSorted((a, b) => a.number - b.number);
}

function recordOf(segments: readonly Segment[], reason: string): CameraRecord {
  return {
    state: 'failed',
    reason,
    codec: 'ffv1',
    strategy: 'direct',
    strategyReason: '',
    source: unknownSource,
    threads: 1,
    frames: 0,
    droppedFrames: 0,
    segments: [...segments],
    unreadable: [],
    clockSteps: [],
  };
}
