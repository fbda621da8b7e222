import type { ChildHost } from '../../../common/child-host.ts';
import { isDiskComplaint } from '../disk/disk-trouble.ts';
import { endOfReader } from '../disk/reading-child.ts';
import { FfmpegError, NoAnswerError } from '../errors.ts';

/** What a run printed on stderr at level warning and above; its exit code alone hides damaged frames. */
export interface FfmpegOutcome {
  readonly complaints: readonly string[];
}

const maxComplaints = 50;
const progressLine = /^frame=\s*(\d+)$/;

/** What else concerns a run. */
export interface FfmpegRun {
  /** Called when it reports its progress. */
  readonly onFrames?: ((frames: number) => void) | undefined;
  /** The file that it reads: it is given up if that file's disk hangs. */
  readonly reads?: string;
}

/**
 * Runs a program to its end. It is ended when the signal aborts.
 * @throws FfmpegError if its exit code is not 0, NoAnswerError if a disk failed under it, whatever its exit code,
 * DiskSilentError
 */
export async function runFfmpeg(
  host: ChildHost,
  name: string,
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
  { onFrames, reads }: FfmpegRun = {},
): Promise<FfmpegOutcome> {
  signal.throwIfAborted();
  const complaints: string[] = [];
  let trouble: string | undefined;
  const child = await host.spawn({ name, argv, stopTimeoutMs: 1000 }, ({ stream, text }) => {
    const frames = stream === 'stdout' ? progressLine.exec(text)?.[1] : undefined;
    if (frames !== undefined) onFrames?.(Number(frames));
    if (stream === 'stderr' && isDiskComplaint(text)) trouble ??= text;
    if (stream === 'stderr' && complaints.length < maxComplaints && text.trim() !== '') complaints.push(text);
  });
  const onAbort = () => void child.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const ended = reads === undefined ? child.exited : endOfReader(child, { file: reads });
  const exit = await ended.finally(() => signal.removeEventListener('abort', onAbort));
  signal.throwIfAborted();
  if (trouble !== undefined) throw new NoAnswerError(`met a disk error: ${trouble}`);
  if (exit.code !== 0) {
    throw new FfmpegError(`ended with ${exit.code ?? exit.signal}: ${complaints.at(-1) ?? 'no word'}`);
  }
  return { complaints };
}
