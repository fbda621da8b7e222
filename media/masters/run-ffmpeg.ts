import type { ChildHost } from '../child-host.ts';
import { FfmpegError } from './errors.ts';

/** What a run said on stderr at level warning and above; its exit code alone hides damaged frames. */
export interface FfmpegOutcome {
  readonly complaints: readonly string[];
}

const maxComplaints = 50;

/**
 * Runs a program to its end. It is ended when the signal aborts.
 * @throws FfmpegError where it exits with anything but 0
 */
export async function runFfmpeg(
  host: ChildHost,
  name: string,
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<FfmpegOutcome> {
  signal.throwIfAborted();
  const complaints: string[] = [];
  const child = await host.spawn({ name, argv, stopTimeoutMs: 1000 }, ({ stream, text }) => {
    if (stream === 'stderr' && complaints.length < maxComplaints && text.trim() !== '') complaints.push(text);
  });
  const onAbort = () => void child.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const exit = await child.exited;
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  if (exit.code !== 0) {
    throw new FfmpegError(`ended with ${exit.code ?? exit.signal}: ${complaints.at(-1) ?? 'no word'}`);
  }
  return { complaints };
}
