import { rm, stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { ChildHost } from '../child-host.ts';
import { syncFile, syncFolder } from './atomic-file.ts';
import { childName } from './child-name.ts';
import { FfmpegError } from './errors.ts';
import type { CameraRecord, Segment, Verification } from './manifest.ts';
import { timecodePlaceholder, transcodeArgv } from './recorder-command.ts';
import { runFfmpeg } from './run-ffmpeg.ts';
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

/**
 * Compresses what was spooled and verifies every master that is not yet verified, one segment after another. A spool is
 * removed only when its master was proven. Throws the signal's reason when that aborts; may be begun again at any time.
 */
export async function finishSegments(order: FinishOrder): Promise<void> {
  const numbers = recordOf(order).segments.map(({ number }) => number);
  for (const number of numbers) {
    const segment = recordOf(order).segments.find((candidate) => candidate.number === number);
    if (segment === undefined || segment.verified?.ok === true) continue;
    await replaceSegment(order, await finishSegment(order, segment));
  }
}

/** Verifies all closed masters of a camera anew. */
export async function verifySegments(order: FinishOrder): Promise<void> {
  for (const segment of recordOf(order).segments.filter(({ state }) => state === 'closed')) {
    const verified = await verify(order, segment);
    await replaceSegment(order, { ...segment, verified });
  }
}

async function finishSegment(order: FinishOrder, segment: Segment): Promise<Segment> {
  if (segment.state !== 'spooled') return { ...segment, verified: await verify(order, segment) };
  try {
    const closed = await compress(order, segment);
    const verified = await verify(order, closed);
    if (!verified.ok) return { ...segment, verified };
    const { spool } = order.take.files(order.camera, segment.number);
    await rm(spool, { force: true });
    await syncFolder(`${order.take.folder}/${order.camera}`);
    return { ...closed, spool: null, verified };
  } catch (error) {
    if (order.signal.aborted || !(error instanceof FfmpegError)) throw error;
    order.logger.error({ err: error, segment: segment.file }, 'a spooled segment could not be compressed');
    return { ...segment, verified: failed(recordOf(order), `compressing ${error.message}`) };
  }
}

async function compress(order: FinishOrder, segment: Segment): Promise<Segment> {
  const record = recordOf(order);
  const files = order.take.files(order.camera, segment.number);
  const settings = { codec: record.codec, raw: record.source, threads: record.threads };
  const { frames, timecode } = segment;
  const argv = transcodeArgv(files, settings, { frames, timecode: timecode ?? timecodePlaceholder });
  await runFfmpeg(order.host, jobName(order, 'compress', segment), argv, order.signal);
  await syncFile(files.master);
  const sha256 = await sha256OfFile(files.master);
  return { ...segment, state: 'closed', bytes: (await stat(files.master)).size, sha256 };
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
