import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ChildHost } from '../../../common/child-host.ts';
import { removeFile, syncFile, syncFolder } from '../../../common/disk-fs.ts';
import { pause } from '../../../common/pause.ts';
import type { RawStream } from '../../capture/types.ts';
import { freeBytes, requireSpace } from '../disk/disk.ts';
import { regularStat, requireRegularOrNothing } from '../disk/disk-file.ts';
import { type Attempt, withPatience } from '../disk/disk-trouble.ts';
import { DiskFilesError, DiskReserveError, FfmpegError, MatroskaError, NoAnswerError } from '../errors.ts';
import { sha256OfFile, verifyMaster } from '../proof/verify.ts';
import { childName } from '../recorder/child-name.ts';
import { type SegmentFiles, timecodePlaceholder, transcodeArgv } from '../recorder/recorder-command.ts';
import { runFfmpeg } from '../recorder/run-ffmpeg.ts';
import type { FinishMeter } from '../take/finish-progress.ts';
import type { CameraRecord, Segment, Verification } from '../take/manifest.ts';
import { segmentStem, type Take } from '../take/take.ts';
import { writeFrameRate } from '../timing/matroska-rate.ts';
import { isoMicroseconds } from '../timing/timecode.ts';
import { probedRange } from './spool-range.ts';

/** What finishing needs. */
export interface FinishOrder {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly take: Take;
  readonly camera: string;
  readonly signal: AbortSignal;
}

/** What compressing needs in addition. */
export interface CompressOrder extends FinishOrder {
  /** Compressing ends if no more bytes than this are free: the raw frames stay, and so does the space that others need. */
  readonly reserveBytes: number;
  /** Free bytes at a path. Default: the file system's answer. */
  readonly freeBytes?: ((path: string) => Promise<number>) | undefined;
  /** Counts finished work. */
  readonly meter?: FinishMeter;
}

const spaceLookMs = 500;

/**
 * Compresses the spool and verifies every master that is not yet verified, one segment after another. A spool is removed only
 * when its master was proven, and take.json says so. Throws the signal's reason when that aborts; can be started again at any
 * time.
 */
export async function finishSegments(order: CompressOrder): Promise<void> {
  const { segments } = recordOf(order);
  const numbers = segments.map(({ number }) => number);
  order.meter?.begin(segments.reduce((sum, segment) => sum + workOf(segment), 0));
  for (const number of numbers) {
    const segment = recordOf(order).segments.find((candidate) => candidate.number === number);
    if (segment === undefined) continue;
    const finished =
      segment.verified?.ok === true
        ? segment
        : await withPatience((attempt) => finishSegment(order, segment, attempt), order);
    order.meter?.step(workOf(segment));
    if (finished !== segment) await withPatience(() => replaceSegment(order, finished), order);
    if (finished.verified?.ok === true && finished.spool !== null)
      await withPatience(() => dropSpool(order, finished), order);
  }
}

/** In frames: one that must be compressed is verified, too. */
function workOf({ state, frames, verified }: Segment): number {
  if (verified?.ok === true) return 0;
  return state === 'spooled' ? 2 * frames : frames;
}

async function finishSegment(order: CompressOrder, segment: Segment, attempt: Attempt): Promise<Segment> {
  if (segment.state !== 'spooled') return { ...segment, verified: await verify(order, segment, attempt) };
  try {
    const closed = await compress(order, segment);
    const verified = await verify(order, closed, attempt, closed.frames);
    return verified.ok ? { ...closed, verified } : { ...segment, verified };
  } catch (error) {
    if (order.signal.aborted || (error instanceof NoAnswerError && !attempt.isLast)) throw error;
    if (!(error instanceof FfmpegError || isFull(error))) throw error;
    order.logger.error({ err: error, segment: segment.file }, 'a spooled segment could not be compressed');
    return { ...segment, verified: failed(recordOf(order), whyNotCompressed(error)) };
  }
}

function isFull(error: unknown): error is DiskReserveError | DiskFilesError {
  return error instanceof DiskReserveError || error instanceof DiskFilesError;
}

function whyNotCompressed(error: FfmpegError | DiskReserveError | DiskFilesError): string {
  return error instanceof FfmpegError
    ? `compressing ${error.message}`
    : `no room to compress it (${error.message}); its raw frames are kept, and tried again at the next start`;
}

async function dropSpool(order: FinishOrder, segment: Segment): Promise<void> {
  await removeFile(order.take.files(order.camera, segment.number).spool);
  await syncFolder(join(order.take.folder, order.camera));
  await replaceSegment(order, { ...segment, spool: null });
}

async function compress(order: CompressOrder, segment: Segment): Promise<Segment> {
  const files = order.take.files(order.camera, segment.number);
  await requireRegularOrNothing(files.master);
  // Raw frames that are gone were removed for a proven master, which take.json does not say yet.
  if ((await regularStat(files.spool)) !== undefined) await transcode(order, segment, files);
  await syncFile(files.master);
  await syncFolder(join(order.take.folder, order.camera));
  const sha256 = await sha256OfFile(files.master);
  return { ...segment, state: 'closed', bytes: (await regularStat(files.master))?.size ?? 0, sha256 };
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
      runFfmpeg(host, jobName(order, 'compress', segment), argv, alive, {
        onFrames: (done) => order.meter?.frames(done),
        reads: files.spool,
      }),
    );
    await stampRate(files.master, record.source.fps, order.logger);
  } catch (error) {
    // Half a master would take the space that the next attempt needs.
    await removeFile(files.master);
    throw error;
  }
}

/** A file without a place for its rate is no reason to keep the raw frames. */
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

/** @throws DiskReserveError if the work used part of the reserve; it has been ended then */
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
      await pause(spaceLookMs, done.signal);
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

function verify(
  order: CompressOrder,
  segment: Segment,
  attempt: Attempt,
  compressed = 0,
): Promise<Verification> {
  const files = order.take.files(order.camera, segment.number);
  const { sha256, clean } = segment;
  const spooled = recordOf(order).strategy === 'spool';
  // A file that was compressed afterwards is complete, however its recorder ended.
  const expected = { codec: recordOf(order).codec, sha256, clean: clean || spooled };
  return verifyMaster({
    host: order.host,
    name: jobName(order, 'verify', segment),
    files,
    expected,
    signal: order.signal,
    attempt,
    onFrames: (frames) => order.meter?.frames(compressed + frames),
  });
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
