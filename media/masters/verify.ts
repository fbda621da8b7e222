import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { RawStream } from '../capture/types.ts';
import type { ChildHost } from '../child-host.ts';
import { FfmpegError } from './errors.ts';
import { type FrameLog, type LoggedFrame, parseFrameLog } from './frame-log.ts';
import type { Verification } from './manifest.ts';
import { decodeArgv, type MasterCodec, type SegmentFiles } from './recorder-command.ts';
import { runFfmpeg } from './run-ffmpeg.ts';
import { isoMicroseconds } from './timecode.ts';

export interface Decoded {
  readonly log: FrameLog;
  readonly complaints: readonly string[];
}

/** Decodes a file of a segment, and tells its frames and what ffmpeg complained about. @throws FfmpegError */
export async function decodeFile(
  host: ChildHost,
  name: string,
  file: string,
  signal: AbortSignal,
  spooled?: RawStream,
): Promise<Decoded> {
  const output = `${file}.decoded.tmp`;
  try {
    const { complaints } = await runFfmpeg(host, name, decodeArgv(file, output, spooled), signal);
    return { log: parseFrameLog(await readFile(output, 'utf8')), complaints };
  } finally {
    await rm(output, { force: true });
  }
}

/**
 * Holds a master against the frames that were received and against its hash: for a lossless codec every sample of every
 * frame, for ProRes the number of frames.
 */
export async function verifyMaster(
  host: ChildHost,
  name: string,
  files: SegmentFiles,
  expected: { readonly codec: MasterCodec; readonly sha256: string | null },
  signal: AbortSignal,
): Promise<Verification> {
  const problems: string[] = [];
  if (expected.sha256 !== null && (await sha256OfFile(files.master)) !== expected.sha256) {
    problems.push('the file is not the one that was written: its SHA-256 differs');
  }
  try {
    const reference = parseFrameLog(await readFile(files.reference, 'utf8'));
    const decoded = await decodeFile(host, name, files.master, signal);
    problems.push(...decoded.complaints.slice(0, 5));
    problems.push(...compareFrames(reference.frames, decoded.log.frames, expected.codec === 'ffv1'));
  } catch (error) {
    if (signal.aborted || !(error instanceof FfmpegError)) throw error;
    problems.push(error.message);
  }
  const proof = expected.codec === 'ffv1' ? 'bit-exact' : 'decodes';
  return { ok: problems.length === 0, at: isoMicroseconds(Date.now() / 1e3), proof, problems };
}

/** What distinguishes the frames of a master from those received; empty where nothing does. Pure. */
export function compareFrames(
  received: readonly LoggedFrame[],
  kept: readonly LoggedFrame[],
  samplesToo: boolean,
): string[] {
  if (received.length !== kept.length)
    return [`${kept.length} frames decode, ${received.length} were received`];
  if (!samplesToo) return [];
  const differing = received.flatMap((frame, index) => (frame.md5 === kept[index]?.md5 ? [] : [index]));
  if (differing.length === 0) return [];
  return [`${differing.length} frames differ from what was received, the first is frame ${differing[0]}`];
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}
