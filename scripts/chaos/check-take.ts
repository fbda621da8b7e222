import {
  type CameraRecord,
  type Segment,
  type TakeManifest,
  takeState,
  withTotals,
} from '../../media/masters/take/manifest.ts';
import type { DecodedMaster } from '../testing/take-files.ts';

/** A master as another decoder reads it. */
export interface FoundMaster extends DecodedMaster {
  readonly bytes: number;
  readonly sha256: string;
  /** MD5 of each frame as the recorder received it. */
  readonly reference: readonly string[];
}

/** A take with its masters. */
export interface FoundTake {
  readonly manifest: TakeManifest;
  /** By the name of the file in the manifest; a text says why it cannot be read. */
  readonly masters: ReadonlyMap<string, FoundMaster | string>;
  /** When a pipeline of this machine started: the pictures' numbers begin again there. */
  readonly pipelineStartsMs: readonly number[];
}

/** A pipeline is noticed a moment after its start, and its first frame may be dated a moment before. */
const startSlackMs = 2000;

/** False statements in `take.json`. Pure. */
export function problemsOfTake(take: FoundTake): string[] {
  const { manifest } = take;
  const records = Object.entries(manifest.cameras);
  const expected = takeState(
    records.map(([, { state }]) => state),
    manifest.wanted,
  );
  const problems =
    manifest.state === expected ? [] : [`state ${manifest.state}, its cameras say ${expected}`];
  if (manifest.wanted) problems.push('it is still wanted');
  if (manifest.stoppedAt === null) problems.push('it has no end');
  for (const [camera, record] of records) {
    problems.push(...problemsOfRecord(record, take).map((text) => `${camera}: ${text}`));
  }
  return problems;
}

function problemsOfRecord(record: CameraRecord, take: FoundTake): string[] {
  const problems: string[] = [];
  const { frames, droppedFrames } = withTotals(record);
  if (record.frames !== frames || record.droppedFrames !== droppedFrames) {
    problems.push(
      `says ${record.frames} frames and ${record.droppedFrames} dropped, its segments ${frames} and ${droppedFrames}`,
    );
  }
  if (record.state === 'failed' && (record.reason ?? '') === '') problems.push('failed without a reason');
  if (record.state === 'verified' && record.segments.length === 0)
    problems.push('verified without a segment');
  if (record.state !== 'failed' && record.state !== 'verified') problems.push(`is still ${record.state}`);
  let before: { readonly segment: Segment; readonly master: FoundMaster } | null = null;
  for (const segment of record.segments) {
    const say = (text: string) => problems.push(`segment ${segment.number}: ${text}`);
    if (record.state === 'verified' && segment.verified?.ok !== true) say('is not verified');
    // A spool that could not be compressed stays; its camera has failed and says so.
    if (segment.state === 'spooled' && record.state === 'failed') {
      before = null;
      continue;
    }
    if (segment.state !== 'closed') say(`is ${segment.state}`);
    const master = take.masters.get(segment.file) ?? 'nobody looked';
    if (segment.verified?.ok === false) {
      if (typeof master !== 'string' && problemsOfSegment(segment, master).length === 0) {
        say(`is called wrong (${segment.verified.problems.join('; ')}), and nothing is`);
      }
      before = null;
      continue;
    }
    if (typeof master === 'string') {
      say(`${segment.file} cannot be read: ${master.slice(0, 300)}`);
      before = null;
      continue;
    }
    for (const text of problemsOfSegment(segment, master)) say(text);
    if (before !== null) {
      const problem = problemBetween(before.segment, before.master, segment, master, take.pipelineStartsMs);
      if (problem !== null) say(problem);
    }
    before = { segment, master };
  }
  return problems;
}

function problemsOfSegment(segment: Segment, master: FoundMaster): string[] {
  const problems: string[] = [];
  if (complaintsOf(segment, master).length > 0)
    problems.push(`the decoder complains: ${complaintsOf(segment, master).join('; ').slice(0, 300)}`);
  if (master.md5.length !== segment.frames) {
    problems.push(`says ${segment.frames} frames, ${master.md5.length} decode`);
  }
  const different = master.md5.findIndex((md5, index) => md5 !== master.reference[index]);
  if (different >= 0) problems.push(`frame ${different + 1} is not the one that was received`);
  if (segment.sha256 !== master.sha256) problems.push('its SHA-256 is another one');
  if (segment.bytes !== master.bytes) problems.push(`says ${segment.bytes} bytes, has ${master.bytes}`);
  const unnumbered = master.numbers.indexOf(null);
  if (unnumbered >= 0) return [...problems, `frame ${unnumbered + 1} has no number`];
  const missing = master.numbers.reduce<number>(
    (sum, number, index) => (index === 0 ? 0 : sum + distance(master.numbers[index - 1], number) - 1),
    0,
  );
  if (missing !== segment.droppedFrames) {
    problems.push(`says ${segment.droppedFrames} dropped, ${missing} are missing by the pictures' numbers`);
  }
  return problems;
}

/** A recorder that was killed may leave the beginning of one more frame; the frames themselves are compared below. */
function complaintsOf({ clean }: Segment, { complaints }: FoundMaster): string[] {
  return complaints
    .split('\n')
    .filter((line) => line !== '' && (clean || !/File ended prematurely/.test(line)));
}

/** Frames between two segments, where the same pipeline made both. */
function problemBetween(
  before: Segment,
  masterBefore: FoundMaster,
  segment: Segment,
  master: FoundMaster,
  pipelineStartsMs: readonly number[],
): string | null {
  const [last, first] = [masterBefore.numbers.at(-1), master.numbers[0]];
  if (typeof last !== 'number' || typeof first !== 'number') return null;
  const [from, to] = [Date.parse(before.lastTimestamp ?? ''), Date.parse(segment.firstTimestamp ?? '')];
  const began = pipelineStartsMs.some((at) => at > from - startSlackMs && at < to + startSlackMs);
  if (Number.isNaN(from) || Number.isNaN(to) || began) return null;
  const missing = distance(last, first) - 1;
  return missing === segment.droppedBefore
    ? null
    : `says ${segment.droppedBefore} dropped before it, ${missing} are missing by the pictures' numbers`;
}

/** From one number to the next; numbers begin again after 65,535. */
function distance(from: number | null | undefined, to: number | null | undefined): number {
  return ((to ?? 0) - (from ?? 0) + 65_536) % 65_536;
}
