import type { CameraRecord, Unreadable } from './manifest.ts';

/** The result of a camera's recording, once nothing is left to do. Pure. */
export function concluded(record: CameraRecord, endReason: string | null): CameraRecord {
  const lost = record.unreadable.find((one) => isWorthAWord(one, record));
  if (lost !== undefined) {
    const frames =
      lost.frames === null ? 'it may hold frames' : `${lost.frames} frames were received into it`;
    return { ...record, state: 'failed', reason: `${lost.file} cannot be read; ${frames}` };
  }
  if (record.frames === 0)
    return { ...record, state: 'failed', reason: endReason ?? 'not one frame arrived' };
  const bad = record.segments.find(({ verified }) => verified?.ok !== true);
  if (bad !== undefined) {
    const problem = bad.verified?.problems[0] ?? 'it was not verified';
    return { ...record, state: 'failed', reason: `segment ${bad.number}: ${problem}` };
  }
  return { ...record, state: 'verified', reason: endReason };
}

/** What a kill or a power cut costs, less than a second, counts as dropped, and not as a failure. */
function isWorthAWord({ frames }: Unreadable, { source }: CameraRecord): boolean {
  return frames === null || frames > source.fps;
}
