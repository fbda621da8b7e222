import type { Stats } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ChildHost } from '../child-host.ts';
import { syncFile, syncFolder, writeFileAtomic } from './atomic-file.ts';
import { captureTimes } from './capture-times.ts';
import { childName } from './child-name.ts';
import { missingBetween } from './dropped-frames.ts';
import { FfmpegError, MatroskaError } from './errors.ts';
import { type FrameLog, readableFrameLog, rewriteFrameLog } from './frame-log.ts';
import type { CameraRecord, Segment } from './manifest.ts';
import { writeFrameRate } from './matroska-rate.ts';
import { writeTimecode } from './matroska-timecode.ts';
import type { MasterCodec, MasterStrategy, SegmentFiles } from './recorder-command.ts';
import { FrameSums } from './segment-watch.ts';
import { segmentStem, type Take } from './take.ts';
import { isoMicroseconds, secondsOfIso, timecodeOf } from './timecode.ts';
import { decodeFile, sha256OfFile } from './verify.ts';

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
}

/** A file below this size holds headers at most. */
const headerBytes = 4096;
/** Time base of a frame log whose own is lost: that of recorders. */
const defaultTimeBase = 1 / 90_000;

/**
 * States what a segment holds, after its recorder has ended. Where that did not end cleanly the file is decoded and what
 * decodes is the truth: the frame log is cut to it. Returns undefined where there is no frame; the number is free then, but a
 * file that may hold pictures is only put aside.
 */
export async function closeSegment(order: CloseOrder): Promise<Segment | undefined> {
  const { take, camera, number, record, previous } = order;
  const files = take.files(camera, number);
  const spooled = record.strategy === 'spool';
  const recorded = spooled ? files.spool : files.master;
  const log = await keptFrames(order, recorded);
  if (log.frames.length === 0) {
    await clear(files, recorded, order.logger);
    return undefined;
  }
  const { fps } = record.source;
  const { timesS, sensorTimes } = await captureTimes(log, { files, fps, logger: order.logger });
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
    ...{ number, state: spooled ? 'spooled' : 'closed', file: `${stem}.mkv`, frames, droppedFrames },
    spool: spooled ? `${stem}.raw.nut` : null,
    bytes: (await stat(recorded)).size,
    droppedBefore: droppedBetween(previous, startS, fps),
    ...{ firstTimestamp: isoMicroseconds(startS), lastTimestamp: isoMicroseconds(lastS ?? startS), timecode },
    sensorTimes: sensorTimes === null ? null : { ...sensorTimes, file: `${stem}.pts` },
    sha256: spooled ? null : await sha256OfFile(files.master),
    framemd5: { file: `${stem}.framemd5`, sha256: await sha256OfFile(files.reference) },
    ...{ clean: order.clean, verified: null },
  };
}

/** take.json has timecode and rate as well: a file that has no place for them is no reason to end a recording. */
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

/** The frames that are both in the file and in its frame log; where that is damaged, those in the file. */
async function keptFrames(order: CloseOrder, recorded: string): Promise<FrameLog> {
  const { record, logger } = order;
  const { reference } = order.take.files(order.camera, order.number);
  const text = (await textOf(reference)) ?? '';
  const { log, damaged } = readableFrameLog(text);
  if (damaged !== null)
    logger.warn({ err: damaged, file: reference }, 'the frame log of a segment is damaged');
  if (order.clean && damaged === null) return log;
  const found = await statOf(recorded);
  if (found === undefined || found.size === 0) return { timeBase: defaultTimeBase, frames: [] };
  const decoded = await decodableFrames(order, recorded);
  // What was received stands; whether the file holds it is for verifying to tell.
  if (decoded === undefined) return log;
  const how = { codec: record.codec, strategy: record.strategy, endS: found.mtimeMs / 1e3 };
  const whole = reconcile(log, decoded, { ...how, logIsWhole: damaged === null && log.frames.length > 0 });
  await writeFileAtomic(reference, rewriteFrameLog(text, log, whole));
  return whole;
}

export interface ReconcileFacts {
  readonly codec: MasterCodec;
  readonly strategy: MasterStrategy;
  /** False where a power cut left something else than the end of the log, or all of it. */
  readonly logIsWhole: boolean;
  /** Seconds since 1970 at which the file was written last: dates frames where the log tells of none. */
  readonly endS: number;
}

/**
 * What a segment holds whose recorder was killed: the frames that decode, as far as they are those received. Frames at the
 * end that decode, but whose entry in the log was not written any more, are vouched for by the file's own checksums; a spool has
 * none, so that its very last frame may be half a one. Pure.
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

/** Undefined where the file cannot be decoded at all, or not now. */
async function decodableFrames(order: CloseOrder, recorded: string): Promise<FrameLog | undefined> {
  const name = childName('close', order.take.manifest.id, order.camera, segmentStem(order.number));
  const spooled = order.record.strategy === 'spool' ? order.record.source : undefined;
  try {
    const { log } = await decodeFile(order.host, name, recorded, order.signal, spooled);
    return log;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    order.logger.warn({ err: error, file: recorded }, 'a segment cannot be decoded');
    return undefined;
  }
}

/** Frees the names of a segment without a frame. What may be pictures that cannot be read is kept for somebody who can. */
async function clear(files: SegmentFiles, recorded: string, logger: Logger): Promise<void> {
  if (((await statOf(recorded))?.size ?? 0) >= headerBytes) {
    const aside = `${recorded}.unreadable-${Date.now()}`;
    await rename(recorded, aside);
    logger.error({ file: aside }, 'not one frame of a segment can be read; its file is put aside');
  }
  await Promise.all(Object.values(files).map((file) => rm(file, { force: true })));
}

function droppedBetween(previous: Segment | undefined, startS: number, fps: number): number {
  if (previous === undefined || previous.lastTimestamp === null) return 0;
  return missingBetween(secondsOfIso(previous.lastTimestamp), startS, rateOf(previous) ?? fps);
}

/** The rate by which the frames of a segment were judged; undefined where it has too few to tell. */
function rateOf({ frames, droppedFrames, firstTimestamp, lastTimestamp }: Segment): number | undefined {
  if (frames < 8 || firstTimestamp === null || lastTimestamp === null) return undefined;
  const lengthS = secondsOfIso(lastTimestamp) - secondsOfIso(firstTimestamp);
  return lengthS > 0 ? (frames + droppedFrames - 1) / lengthS : undefined;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined where there is no such file. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
