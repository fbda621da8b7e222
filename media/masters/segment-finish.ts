import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RawStream } from '../capture/types.ts';
import type { ChildHost } from '../child-host.ts';
import { syncFile, syncFolder } from './atomic-file.ts';
import { childName } from './child-name.ts';
import { freeBytes, requireSpace } from './disk.ts';
import { DiskReserveError, FfmpegError, MatroskaError } from './errors.ts';
import type { CameraRecord, Segment, Verification } from './manifest.ts';
import { writeFrameRate } from './matroska-rate.ts';
import { type SegmentFiles, timecodePlaceholder, transcodeArgv } from './recorder-command.ts';
import { runFfmpeg } from './run-ffmpeg.ts';
import { probedRange } from './spool-range.ts';
import { segmentStem, type Take } from './take.ts';
import { isoMicroseconds } from './timecode.ts';
import { sha256OfFile, verifyMaster } from './verify.ts';

export interface FinishOrder {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly take: Take;
  readonly camera: string;
  readonly signal: AbortSignal;
}

/** What compressing needs besides. */
export interface CompressOrder extends FinishOrder {
  /** Compressing ends where no more than this is free: the raw frames stay, and so does the space that others need. */
  readonly reserveBytes: number;
  /** Free bytes at a path. Default: what the file system says. */
  readonly freeBytes?: ((path: string) => Promise<number>) | undefined;
}

const spaceLookMs = 500;

/**
 * Compresses what was spooled and verifies every master that is not yet verified, one segment after another. A spool is
 * removed only when its master was proven, and take.json says so. Throws the signal's reason when that aborts; may be begun again at any time.
 */
export async function finishSegments(order: CompressOrder): Promise<void> {
  const numbers = recordOf(order).segments.map(({ number }) => number);
  for (const number of numbers) {
    const segment = recordOf(order).segments.find((candidate) => candidate.number === number);
    if (segment === undefined) continue;
    const finished = segment.verified?.ok === true ? segment : await finishSegment(order, segment);
    if (finished !== segment) await replaceSegment(order, finished);
    if (finished.verified?.ok === true && finished.spool !== null) await dropSpool(order, finished);
  }
}

/** Verifies all closed masters of a camera anew. */
export async function verifySegments(order: FinishOrder): Promise<void> {
  for (const segment of recordOf(order).segments.filter(({ state }) => state === 'closed')) {
    const verified = await verify(order, segment);
    await replaceSegment(order, { ...segment, verified });
  }
}

async function finishSegment(order: CompressOrder, segment: Segment): Promise<Segment> {
  if (segment.state !== 'spooled') return { ...segment, verified: await verify(order, segment) };
  try {
    const closed = await compress(order, segment);
    const verified = await verify(order, closed);
    return verified.ok ? { ...closed, verified } : { ...segment, verified };
  } catch (error) {
    if (order.signal.aborted) throw error;
    if (!(error instanceof FfmpegError || error instanceof DiskReserveError)) throw error;
    order.logger.error({ err: error, segment: segment.file }, 'a spooled segment could not be compressed');
    return { ...segment, verified: failed(recordOf(order), whyNotCompressed(error)) };
  }
}

function whyNotCompressed(error: FfmpegError | DiskReserveError): string {
  return error instanceof FfmpegError
    ? `compressing ${error.message}`
    : `no room to compress it (${error.message}); its raw frames are kept, and tried again at the next start`;
}

async function dropSpool(order: FinishOrder, segment: Segment): Promise<void> {
  await rm(order.take.files(order.camera, segment.number).spool, { force: true });
  await syncFolder(join(order.take.folder, order.camera));
  await replaceSegment(order, { ...segment, spool: null });
}

async function compress(order: CompressOrder, segment: Segment): Promise<Segment> {
  const files = order.take.files(order.camera, segment.number);
  // Raw frames that are gone were removed for a proven master, which take.json did not yet tell of.
  if (existsSync(files.spool)) await transcode(order, segment, files);
  await syncFile(files.master);
  await syncFolder(join(order.take.folder, order.camera));
  const sha256 = await sha256OfFile(files.master);
  return { ...segment, state: 'closed', bytes: (await stat(files.master)).size, sha256 };
}

/** @throws FfmpegError, DiskReserveError */
async function transcode(order: CompressOrder, segment: Segment, files: SegmentFiles): Promise<void> {
  const record = recordOf(order);
  const { frames, timecode } = segment;
  try {
    const { host, signal } = order;
    const range = await probedRange(
      host,
      jobName(order, 'range', segment),
      files.spool,
      record.source,
      signal,
    );
    await noteRange(order, range);
    const settings = { codec: record.codec, raw: { ...record.source, range }, threads: record.threads };
    const argv = transcodeArgv(files, settings, { frames, timecode: timecode ?? timecodePlaceholder });
    await whileThereIsSpace(order, (alive) =>
      runFfmpeg(host, jobName(order, 'compress', segment), argv, alive),
    );
    await stampRate(files.master, record.source.fps, order.logger);
  } catch (error) {
    // Half a master would take the space that the next attempt needs.
    await rm(files.master, { force: true });
    throw error;
  }
}

/** A file that has no place for its rate is no reason to keep the raw frames. */
async function stampRate(file: string, fps: number, logger: Logger): Promise<void> {
  try {
    await writeFrameRate(file, fps);
  } catch (error) {
    if (!(error instanceof MatroskaError)) throw error;
    logger.warn({ err: error, file }, 'the rate cannot be written into a master');
  }
}

/** What a stream turned out to be is what take.json says. */
async function noteRange({ take, camera }: FinishOrder, range: RawStream['range']): Promise<void> {
  if (take.manifest.cameras[camera]?.source.range === range) return;
  await take.updateCamera(camera, (record) => ({ ...record, source: { ...record.source, range } }));
}

/** @throws DiskReserveError where the work ate into the reserve; it has been ended then */
async function whileThereIsSpace(order: CompressOrder, work: (signal: AbortSignal) => Promise<unknown>) {
  const { take, reserveBytes, signal } = order;
  const [full, done] = [new AbortController(), new AbortController()];
  const watch = async () => {
    while (!done.signal.aborted) {
      try {
        await requireSpace(take.folder, reserveBytes, order.freeBytes ?? freeBytes);
      } catch (error) {
        full.abort(error);
        return;
      }
      // The end of the work ends the pause early.
      await sleep(spaceLookMs, undefined, { signal: done.signal }).catch(() => {});
    }
  };
  const watching = watch();
  try {
    await work(AbortSignal.any([signal, full.signal]));
  } finally {
    done.abort();
    await watching;
  }
}

function verify(order: FinishOrder, segment: Segment): Promise<Verification> {
  const files = order.take.files(order.camera, segment.number);
  const expected = { codec: recordOf(order).codec, sha256: segment.sha256 };
  return verifyMaster(order.host, jobName(order, 'verify', segment), files, expected, order.signal);
}

function replaceSegment(order: FinishOrder, segment: Segment): Promise<void> {
  return order.take.updateCamera(order.camera, (record) => ({
    ...record,
    segments: record.segments.map((old) => (old.number === segment.number ? segment : old)),
  }));
}

function failed(record: CameraRecord, problem: string): Verification {
  const proof = record.codec === 'ffv1' ? 'bit-exact' : 'decodes';
  return { ok: false, at: isoMicroseconds(Date.now() / 1e3), proof, problems: [problem] };
}

function jobName(order: FinishOrder, job: string, segment: Segment): string {
  return childName(job, order.take.manifest.id, order.camera, segmentStem(segment.number));
}

function recordOf({ take, camera }: FinishOrder): CameraRecord {
  const record = take.manifest.cameras[camera];
  if (record === undefined) throw new Error(`the take has no camera ${camera}`);
  return record;
}
