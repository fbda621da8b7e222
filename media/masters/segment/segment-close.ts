import { basename } from 'node:path';
import type { Logger } from 'pino';
import type { ChildHost } from '../../../common/child-host.ts';
import { removeFile, rename, syncFile, syncFolder } from '../../../common/disk-fs.ts';
import { replaceTakeFile } from '../disk/atomic-file.ts';
import { regularStat, textOf } from '../disk/disk-file.ts';
import type { Attempt } from '../disk/disk-trouble.ts';
import { EmptyAnswerError, FfmpegError, MatroskaError, NoAnswerError } from '../errors.ts';
import { decodeFile, maxLogBytes, sha256OfFile } from '../proof/verify.ts';
import { childName } from '../recorder/child-name.ts';
import type { MasterCodec, MasterStrategy, SegmentFiles } from '../recorder/recorder-command.ts';
import type { CameraRecord, ClockStep, Segment, Unreadable } from '../take/manifest.ts';
import { segmentStem, type Take } from '../take/take.ts';
import { captureTimes } from '../timing/capture-times.ts';
import { writeFrameRate } from '../timing/matroska-rate.ts';
import { writeTimecode } from '../timing/matroska-timecode.ts';
import { isoMicroseconds, secondsOfIso, timecodeOf } from '../timing/timecode.ts';
import { missingBetween } from './dropped-frames.ts';
import { type FrameLog, readableFrameLog, rewriteFrameLog } from './frame-log.ts';
import { FrameSums } from './frame-sums.ts';

/** The segment to close, and what to do with the result. */
export interface CloseOrder {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly take: Take;
  readonly camera: string;
  readonly number: number;
  readonly record: CameraRecord;
  readonly previous: Segment | undefined;
  readonly clean: boolean;
  readonly signal: AbortSignal;
  /** What cannot be determined now is tried again. */
  readonly attempt: Attempt;
}

/** The result of a segment: a master (or its raw frames), or a file that was moved aside, or nothing at all. */
export interface ClosedSegment {
  readonly segment: Segment | undefined;
  readonly unreadable: Unreadable | undefined;
}

/** A file below this size holds headers at most. */
const headerBytes = 4096;
/** A file must seem empty this often before that is believed. */
const emptyAnswers = 1;
/** Time base of a frame log whose own is lost: that of recorders. */
const defaultTimeBase = 1 / 90_000;

/**
 * States what a segment contains, after its recorder has ended. If that did not end cleanly, the file is decoded and what
 * decodes is the truth: the frame log is cut to it. Without a frame the names become free, but a file that may contain pictures
 * is only moved aside. Rejects if a disk fails, and can be called again.
 */
export async function closeSegment(order: CloseOrder): Promise<ClosedSegment> {
  const { take, camera, number, record } = order;
  const files = take.files(camera, number);
  const recorded = record.strategy === 'spool' ? files.spool : files.master;
  const { log, received } = await keptFrames(order, recorded);
  if (log.frames.length === 0) {
    const aside = await clear(files, recorded, order.logger);
    if (aside === undefined) return { segment: undefined, unreadable: undefined };
    const file = `${camera}/${aside.name}`;
    const at = new Date().toISOString();
    return {
      segment: undefined,
      unreadable: { number, file, bytes: aside.bytes, frames: received, at },
    };
  }
  return { segment: await segmentOf(order, files, log), unreadable: undefined };
}

async function segmentOf(order: CloseOrder, files: SegmentFiles, log: FrameLog): Promise<Segment> {
  const { take, camera, number, record, previous } = order;
  const spooled = record.strategy === 'spool';
  const recorded = spooled ? files.spool : files.master;
  const { fps } = record.source;
  const { timesS, sensorTimes } = await captureTimes(log, {
    files,
    fps,
    logger: order.logger,
    clockSteps: stepsWithin(record, number),
  });
  const sums = new FrameSums(fps);
  for (const timeS of timesS) sums.add(timeS);
  const { frames, droppedFrames, firstS, lastS } = sums.progress();
  const startS = firstS ?? 0;
  const timecode = timecodeOf(startS, fps);
  if (!spooled) await stampMaster(files.master, timecode, fps, order.logger);
  await Promise.all([syncFile(recorded), syncFile(files.reference)]);
  await syncFolder(`${take.folder}/${camera}`);
  const stem = `${camera}/${segmentStem(number)}`;
  return {
    number,
    state: spooled ? 'spooled' : 'closed',
    file: `${stem}.mkv`,
    frames,
    droppedFrames,
    spool: spooled ? `${stem}.raw.nut` : null,
    bytes: (await regularStat(recorded))?.size ?? 0,
    droppedBefore: droppedBetween(previous, startS, record, number),
    firstTimestamp: isoMicroseconds(startS),
    lastTimestamp: isoMicroseconds(lastS ?? startS),
    timecode,
    sensorTimes: sensorTimes === null ? null : { ...sensorTimes, file: `${stem}.pts` },
    sha256: spooled ? null : await sha256OfFile(files.master),
    framemd5: { file: `${stem}.framemd5`, sha256: await sha256OfFile(files.reference) },
    clean: order.clean,
    verified: null,
    checkedAt: null,
  };
}

/** take.json contains timecode and rate as well: a file without a place for them is no reason to end a recording. */
async function stampMaster(file: string, timecode: string, fps: number, logger: Logger): Promise<void> {
  for (const write of [() => writeTimecode(file, timecode), () => writeFrameRate(file, fps)]) {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof MatroskaError)) throw error;
      logger.warn({ err: error, file }, 'the timecode or the rate cannot be written into a master');
    }
  }
}

/** The frames that are both in the file and in its frame log; if that is damaged, those in the file. */
async function keptFrames(
  order: CloseOrder,
  recorded: string,
): Promise<{ readonly log: FrameLog; readonly received: number | null }> {
  const { record, logger } = order;
  const { reference } = order.take.files(order.camera, order.number);
  const text = (await textOf(reference, maxLogBytes)) ?? '';
  const { log, damaged } = readableFrameLog(text);
  if (damaged !== null)
    logger.warn({ err: damaged, file: reference }, 'the frame log of a segment is damaged');
  const received = damaged === null && text !== '' ? log.frames.length : null;
  if (order.clean && damaged === null) return { log, received };
  const found = await regularStat(recorded);
  const nothing: FrameLog = { timeBase: defaultTimeBase, frames: [] };
  if (found === undefined || found.size === 0) return { log: nothing, received };
  const decoded = await decodableFrames(order, recorded);
  const atMost = received ?? atMostOne(found.size, record);
  if (decoded === 'no frame') return { log: nothing, received: atMost };
  // The count of received frames stays; verifying finds out whether the file contains them.
  if (decoded === undefined) return { log, received: atMost };
  const how = { codec: record.codec, strategy: record.strategy, endS: found.mtimeMs / 1e3 };
  const whole = reconcile(log, decoded, { ...how, logIsWhole: damaged === null && log.frames.length > 0 });
  await replaceTakeFile(reference, rewriteFrameLog(text, log, whole));
  // If nothing of the log is left, the last frame of a spool may be incomplete: it may be the only one.
  const onlyFrame = whole.frames.length === 0 && decoded.frames.length === 1 ? 1 : null;
  return { log: whole, received: received ?? onlyFrame };
}

/**
 * Raw frames smaller than one frame hold a part of one, at most; null if more may have been lost. A compressed file says nothing by
 * its size: a still picture takes a fraction of its raw frame.
 */
function atMostOne(bytes: number, { source, strategy }: CameraRecord): number | null {
  if (strategy !== 'spool') return null;
  const samplesPerPixel = source.pixelFormat.includes('444')
    ? 3
    : source.pixelFormat.includes('422')
      ? 2
      : 1.5;
  return bytes < source.width * source.height * samplesPerPixel ? 1 : null;
}

/** What is known about a segment after a kill. */
export interface ReconcileFacts {
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  /** False if a power cut left something else instead of the end of the log, or all of it. */
  readonly logIsWhole: boolean;
  /** Seconds since 1970 when the file was last written: dates frames that the log does not contain. */
  readonly endS: number;
}

/**
 * What a segment contains whose recorder was killed: the frames that decode, as far as they are those received. For frames at
 * the end that decode, but whose entry in the log was not written any more, the file's own checksums vouch; a spool has none,
 * so its very last frame may be incomplete. Pure.
 */
export function reconcile(log: FrameLog, decoded: FrameLog, how: ReconcileFacts): FrameLog {
  const lossless = how.codec === 'ffv1' || how.strategy === 'spool';
  const timeBase = log.timeBase > 0 ? log.timeBase : defaultTimeBase;
  const differs = log.frames.findIndex(({ md5 }, index) => md5 !== decoded.frames[index]?.md5);
  const differing = lossless && differs >= 0 ? differs : log.frames.length;
  const kept = log.frames.slice(0, Math.min(differing, decoded.frames.length));
  const spooled = how.strategy === 'spool';
  if (kept.length < log.frames.length || (spooled && how.logIsWhole)) return { timeBase, frames: kept };
  const [first, last] = [decoded.frames[0]?.pts ?? 0, decoded.frames.at(-1)?.pts ?? 0];
  const known = log.frames[0];
  const offsetS =
    known === undefined
      ? how.endS - last * decoded.timeBase
      : known.pts * timeBase - first * decoded.timeBase;
  const extra = decoded.frames.slice(kept.length, spooled ? -1 : undefined).map(({ pts, md5 }) => {
    return { pts: Math.round((offsetS + pts * decoded.timeBase) / timeBase), md5 };
  });
  return { timeBase, frames: [...kept, ...extra], guessedFrom: kept.length };
}

/**
 * Undefined if the file cannot be decoded at all, or not now. An empty result is only believed if the file can be read from end
 * to end without an error.
 */
async function decodableFrames(
  order: CloseOrder,
  recorded: string,
): Promise<FrameLog | 'no frame' | undefined> {
  const name = childName('close', order.take.manifest.id, order.camera, segmentStem(order.number));
  const spooled = order.record.strategy === 'spool' ? order.record.source : undefined;
  try {
    const { host, signal } = order;
    const { log } = await decodeFile({ host, name, file: recorded, signal, spooled });
    return log;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    if (error instanceof EmptyAnswerError && order.attempt.number > emptyAnswers) {
      await sha256OfFile(recorded);
      return 'no frame';
    }
    if (error instanceof NoAnswerError && !order.attempt.isLast) throw error;
    order.logger.warn({ err: error, file: recorded }, 'a segment cannot be decoded');
    return undefined;
  }
}

/**
 * Frees the names of a segment without a frame. A file that may be pictures which cannot be read now is kept, with its log.
 */
async function clear(
  files: SegmentFiles,
  recorded: string,
  logger: Logger,
): Promise<{ readonly name: string; readonly bytes: number } | undefined> {
  const bytes = (await regularStat(recorded))?.size ?? 0;
  const mark = `unreadable-${Date.now()}`;
  const aside = `${recorded}.${mark}`;
  if (bytes >= headerBytes) {
    await rename(recorded, aside);
    logger.error({ file: aside }, 'not one frame of a segment can be read; its file is put aside');
    if (((await regularStat(files.reference))?.size ?? 0) > 0)
      await rename(files.reference, `${files.reference}.${mark}`);
  }
  await Promise.all(Object.values(files).map((file) => removeFile(file)));
  return bytes >= headerBytes ? { name: basename(aside), bytes } : undefined;
}

/**
 * The same record, after the segment `number` was closed: one that was closed before it did not know yet where this one ends, so
 * what was lost between them is counted again. Pure.
 */
export function recounted(record: CameraRecord, number: number): CameraRecord {
  const next = record.segments.find((one) => one.number > number);
  if (next === undefined || next.firstTimestamp === null || next.state === 'recording') return record;
  const previous = record.segments.filter((one) => one.number < next.number).at(-1);
  const droppedBefore = droppedBetween(previous, secondsOfIso(next.firstTimestamp), record, next.number);
  const segments = record.segments.map((one) => (one === next ? { ...one, droppedBefore } : one));
  return { ...record, segments };
}

/** What a changed clock did to the times of frames is no gap. */
function droppedBetween(
  previous: Segment | undefined,
  startS: number,
  record: CameraRecord,
  number: number,
): number {
  const lost = record.unreadable.filter((one) => one.number < number && one.number > (previous?.number ?? 0));
  if (previous === undefined || previous.lastTimestamp === null)
    return lost.reduce((sum, { frames }) => sum + (frames ?? 0), 0);
  const { clockSteps, source } = record;
  const between = clockSteps.filter(({ segment, within }) => {
    const isAfterFirstOfPrevious = segment > previous.number || (segment === previous.number && within);
    return isAfterFirstOfPrevious && (segment < number || (segment === number && !within));
  });
  const steppedS = between.reduce((sum, { seconds }) => sum + seconds, 0);
  return missingBetween(
    secondsOfIso(previous.lastTimestamp) + steppedS,
    startS,
    rateOf(previous) ?? source.fps,
  );
}

/** The rate by which the frames of a segment were judged; undefined if it has too few to tell. */
function rateOf({ frames, droppedFrames, firstTimestamp, lastTimestamp }: Segment): number | undefined {
  if (frames < 8 || firstTimestamp === null || lastTimestamp === null) return undefined;
  const lengthS = secondsOfIso(lastTimestamp) - secondsOfIso(firstTimestamp);
  return lengthS > 0 ? (frames + droppedFrames - 1) / lengthS : undefined;
}

function stepsWithin({ clockSteps }: CameraRecord, number: number): number[] {
  return clockSteps
    .filter(({ segment, within }: ClockStep) => within && segment === number)
    .map(({ seconds }) => seconds);
}
