import { readFile, rm, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ChildHost } from '../child-host.ts';
import { syncFile, syncFolder, writeFileAtomic } from './atomic-file.ts';
import { captureTimes } from './capture-times.ts';
import { childName } from './child-name.ts';
import { missingBetween } from './dropped-frames.ts';
import { FfmpegError, FrameLogError, MatroskaError } from './errors.ts';
import { type FrameLog, parseFrameLog, rewriteFrameLog } from './frame-log.ts';
import type { CameraRecord, Segment } from './manifest.ts';
import { writeTimecode } from './matroska-timecode.ts';
import type { MasterCodec, MasterStrategy } from './recorder-command.ts';
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

/**
 * States what a segment holds, after its recorder has ended. Where that did not end cleanly the file is decoded and what
 * decodes is the truth: the frame log is cut to it. Returns undefined, and leaves no file, where there is no frame.
 */
export async function closeSegment(order: CloseOrder): Promise<Segment | undefined> {
  const { take, camera, number, record, previous } = order;
  const files = take.files(camera, number);
  const spooled = record.strategy === 'spool';
  const recorded = spooled ? files.spool : files.master;
  const log = await keptFrames(order, recorded);
  if (log.frames.length === 0) {
    await Promise.all(Object.values(files).map((file) => rm(file, { force: true })));
    return undefined;
  }
  const { fps } = record.source;
  const { timesS, sensorTimes } = await captureTimes(log, { files, fps, logger: order.logger });
  const sums = new FrameSums(fps);
  for (const timeS of timesS) sums.add(timeS);
  const { frames, droppedFrames, firstS, lastS } = sums.progress();
  const startS = firstS ?? 0;
  const timecode = timecodeOf(startS, fps);
  if (!spooled) await stampTimecode(files.master, timecode, order.logger);
  await Promise.all([syncFile(recorded), syncFile(files.reference)]);
  await syncFolder(`${take.folder}/${camera}`);
  const stem = `${camera}/${segmentStem(number)}`;
  return {
    ...{ number, state: spooled ? 'spooled' : 'closed', file: `${stem}.mkv`, frames, droppedFrames },
    spool: spooled ? `${stem}.raw.nut` : null,
    bytes: await sizeOf(recorded),
    droppedBefore: droppedBetween(previous, startS, fps),
    ...{ firstTimestamp: isoMicroseconds(startS), lastTimestamp: isoMicroseconds(lastS ?? startS), timecode },
    sensorTimes: sensorTimes === null ? null : { ...sensorTimes, file: `${stem}.pts` },
    sha256: spooled ? null : await sha256OfFile(files.master),
    framemd5: { file: `${stem}.framemd5`, sha256: await sha256OfFile(files.reference) },
    ...{ clean: order.clean, verified: null },
  };
}

/** take.json has the timecode as well: a file that has no place for it is no reason to end a recording. */
async function stampTimecode(file: string, timecode: string, logger: Logger): Promise<void> {
  try {
    await writeTimecode(file, timecode);
  } catch (error) {
    if (!(error instanceof MatroskaError)) throw error;
    logger.warn({ err: error, file }, 'the timecode cannot be written into a master');
  }
}

/** The frames that are both in the file and in its frame log. */
async function keptFrames(order: CloseOrder, recorded: string): Promise<FrameLog> {
  const files = order.take.files(order.camera, order.number);
  const text = await textOf(files.reference);
  const none = { timeBase: 1, frames: [] };
  if (text === undefined) return none;
  const log = parseLog(text, order.logger);
  if (log === undefined || log.frames.length === 0) return none;
  if (order.clean) return log;
  const whole = reconcile(log, await decodableFrames(order, recorded), order.record);
  await writeFileAtomic(files.reference, rewriteFrameLog(text, log, whole));
  return whole;
}

/**
 * What a segment holds whose recorder was killed: the frames that decode, as far as they are those received. Frames at the
 * end that decode, but whose entry in the log was not written any more, are vouched for by the file's own checksums. Pure.
 */
export function reconcile(
  log: FrameLog,
  decoded: FrameLog,
  how: { readonly codec: MasterCodec; readonly strategy: MasterStrategy },
): FrameLog {
  const lossless = how.codec === 'ffv1' || how.strategy === 'spool';
  const { timeBase } = log;
  const differs = log.frames.findIndex(({ md5 }, index) => md5 !== decoded.frames[index]?.md5);
  const differing = lossless && differs >= 0 ? differs : log.frames.length;
  const kept = log.frames.slice(0, Math.min(differing, decoded.frames.length));
  if (kept.length < log.frames.length || how.strategy === 'spool') return { timeBase, frames: kept };
  const offsetS = (log.frames[0]?.pts ?? 0) * timeBase - (decoded.frames[0]?.pts ?? 0) * decoded.timeBase;
  const extra = decoded.frames.slice(kept.length).map(({ pts, md5 }) => {
    return { pts: Math.round((offsetS + pts * decoded.timeBase) / timeBase), md5 };
  });
  return { timeBase, frames: [...kept, ...extra], guessedFrom: kept.length };
}

async function decodableFrames(order: CloseOrder, recorded: string): Promise<FrameLog> {
  const name = childName('close', order.take.manifest.id, order.camera, segmentStem(order.number));
  const spooled = order.record.strategy === 'spool' ? order.record.source : undefined;
  try {
    const { log } = await decodeFile(order.host, name, recorded, order.signal, spooled);
    return log;
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    order.logger.warn({ err: error, file: recorded }, 'nothing of this segment can be read');
    return { timeBase: 1, frames: [] };
  }
}

function parseLog(text: string, logger: Logger): FrameLog | undefined {
  try {
    return parseFrameLog(text);
  } catch (error) {
    if (!(error instanceof FrameLogError)) throw error;
    logger.warn({ err: error }, 'the frame log of a segment cannot be read');
    return undefined;
  }
}

function droppedBetween(previous: Segment | undefined, startS: number, fps: number): number {
  if (previous === undefined || previous.lastTimestamp === null) return 0;
  return missingBetween(secondsOfIso(previous.lastTimestamp), startS, fps);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}
