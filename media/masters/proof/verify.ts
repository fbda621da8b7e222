import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildHost } from '../../../common/child-host.ts';
import type { RawStream } from '../../capture/types.ts';
import { openRegular, regularStat, textOf } from '../disk/disk-file.ts';
import { type Attempt, onlyAttempt } from '../disk/disk-trouble.ts';
import { EmptyAnswerError, FfmpegError, FrameLogError, NoAnswerError } from '../errors.ts';
import { decodeArgv, type MasterCodec, type SegmentFiles } from '../recorder/recorder-command.ts';
import { runFfmpeg } from '../recorder/run-ffmpeg.ts';
import { type FrameLog, type LoggedFrame, parseFrameLog } from '../segment/frame-log.ts';
import type { Verification } from '../take/manifest.ts';
import { isoMicroseconds } from '../timing/timecode.ts';

/** What both reading a file as frames and verifying a master need. */
interface Job {
  readonly host: ChildHost;
  /** Of the ffmpeg process. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Gets the number of frames decoded so far. */
  readonly onFrames?: (frames: number) => void;
}

/** A file to decode. */
export interface DecodeOrder extends Job {
  readonly file: string;
  /** What the raw frames of a spool are. */
  readonly spooled?: RawStream | undefined;
}

/** A master to verify. */
export interface VerifyOrder extends Job {
  readonly files: SegmentFiles;
  readonly expected: ExpectedMaster;
  readonly attempt?: Attempt;
}

/** What a decoder found. */
export interface Decoded {
  readonly log: FrameLog;
  readonly complaints: readonly string[];
}

/** Larger frame logs, of some 30 hours, are not valid. */
export const maxLogBytes = 256 * 1024 * 1024;

/**
 * Decodes a file of a segment, and returns its frames and ffmpeg's complaints. The result is not written to the disk that is
 * judged.
 * @throws FfmpegError, NoAnswerError if a disk failed, DiskSilentError, EmptyAnswerError if there was no frame,
 * StrangeFileError
 */
export async function decodeFile(order: DecodeOrder): Promise<Decoded> {
  const { host, name, file, signal, spooled, onFrames } = order;
  await regularStat(file);
  const scratch = await mkdtemp(join(tmpdir(), 'decoded-'));
  const output = join(scratch, 'frames');
  try {
    const argv = decodeArgv(file, output, spooled);
    const { complaints } = await runFfmpeg(host, name, argv, signal, { onFrames, reads: file });
    const log = parseFrameLog((await textOf(output, maxLogBytes)) ?? '');
    if (log.frames.length === 0) throw new EmptyAnswerError('found no frame');
    return { log, complaints };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What a master should contain. */
export interface ExpectedMaster {
  readonly codec: MasterCodec;
  readonly sha256: string | null;
  /** False if its recorder did not end by itself: the file may end within a frame, which is not among those received. */
  readonly clean: boolean;
}

/** The message of ffmpeg's Matroska reader if the last frame is incomplete. */
const endsEarly = /\bFile ended prematurely\b/;

/** What is wrong with a master, from its decoder's complaints. Comparing the frames is not done here. Pure. */
function problemsAmong(complaints: readonly string[], clean: boolean): string[] {
  return complaints.filter((line) => clean || !endsEarly.test(line));
}

/**
 * Compares a master with the frames that were received and with its hash: for a lossless codec every sample of every frame, for
 * ProRes the number of frames. If a disk fails it rejects, and can be called again; on the last attempt the failure is what is
 * wrong with the master.
 */
export async function verifyMaster(order: VerifyOrder): Promise<Verification> {
  const { files, expected, signal, attempt = onlyAttempt } = order;
  const problems: string[] = [];
  if ((await regularStat(files.master)) === undefined) {
    return verification(expected.codec, ['the file is gone']);
  }
  if (expected.sha256 !== null && (await sha256OfFile(files.master)) !== expected.sha256) {
    problems.push('the file is not the one that was written: its SHA-256 differs');
  }
  try {
    const reference = parseFrameLog((await textOf(files.reference, maxLogBytes)) ?? '');
    const decoded = await decodeFile({ ...order, file: files.master });
    problems.push(...problemsAmong(decoded.complaints, expected.clean).slice(0, 5));
    problems.push(...compareFrames(reference.frames, decoded.log.frames, expected.codec === 'ffv1'));
  } catch (error) {
    if (signal.aborted || !(error instanceof FfmpegError || error instanceof FrameLogError)) throw error;
    if (error instanceof NoAnswerError && !attempt.isLast) throw error;
    problems.push(
      error instanceof FfmpegError ? `the file cannot be decoded (ffmpeg ${error.message})` : error.message,
    );
  }
  return verification(expected.codec, problems);
}

function verification(codec: MasterCodec, problems: string[]): Verification {
  const proof = codec === 'ffv1' ? 'bit-exact' : 'decodes';
  return { ok: problems.length === 0, at: isoMicroseconds(Date.now() / 1e3), proof, problems };
}

/** The differences between the frames of a master and those received; empty if there are none. Pure. */
function compareFrames(
  received: readonly LoggedFrame[],
  kept: readonly LoggedFrame[],
  samplesToo: boolean,
): string[] {
  if (received.length !== kept.length)
    return [`${kept.length} frames decode, ${received.length} were received`];
  if (!samplesToo) return [];
  const differing = received.flatMap((frame, index) => (frame.md5 === kept[index]?.md5 ? [] : [index]));
  if (differing.length === 0) return [];
  return [`${differing.length} frames differ from those received, the first is frame ${differing[0]}`];
}

/** SHA-256 of a file, 64 lower-case hex digits. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await using handle = await openRegular(file);
  for await (const piece of handle.pieces({})) hash.update(piece);
  return hash.digest('hex');
}
