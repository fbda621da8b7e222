import type { ChildHost } from '../../../common/child-host.ts';
import { signalGroup } from '../../../common/other-process.ts';
import { pause } from '../../../common/pause.ts';
import { regularStat } from '../disk/disk-file.ts';
import { isDiskComplaint } from '../disk/disk-trouble.ts';
import { endOfReader } from '../disk/reading-child.ts';
import { NoAnswerError } from '../errors.ts';

/** A file to hash, and when. */
export interface HashOrder {
  readonly host: ChildHost;
  readonly name: string;
  readonly file: string;
  /** While it returns true nothing is read; the hash so far stays valid. */
  readonly mustRest: () => boolean;
  readonly signal: AbortSignal;
  /** How long its disk may take for any part of it, see Reading. */
  readonly patienceMs?: number | undefined;
}

const lookMs = 200;
const hashLine = /^\\?([0-9a-f]{64}) /;

/**
 * SHA-256 of a file, read when the disk and the processors have nothing else to do. Undefined if there is no such file. Rejects
 * with the signal's reason, StrangeFileError, NoAnswerError if it cannot be read, and DiskSilentError.
 */
export async function hashQuietly(order: HashOrder): Promise<string | undefined> {
  const { host, name, file, mustRest, signal, patienceMs } = order;
  signal.throwIfAborted();
  if ((await regularStat(file)) === undefined) return undefined;
  let [hash, complaint] = ['', ''];
  const argv = ['ionice', '-c', '3', 'nice', '-n', '19', 'sha256sum', '--', file] as const;
  const child = await host.spawn({ name, argv, stopTimeoutMs: 1000 }, ({ stream, text }) => {
    if (stream === 'stderr') complaint = text;
    else hash = hashLine.exec(text)?.[1] ?? hash;
  });
  let ended = false;
  let resting = false;
  const end = endOfReader(child, { file, patienceMs, isResting: () => resting });
  const noteEnd = () => {
    ended = true;
  };
  const over = end.then(noteEnd, noteEnd); // How it ended is looked at below.
  while (!ended && !signal.aborted) {
    if (mustRest() !== resting) {
      resting = !resting;
      signalGroup(child.pid, resting ? 'SIGSTOP' : 'SIGCONT');
    }
    // An abort only ends the pause early.
    await Promise.race([over, pause(lookMs, signal)]);
  }
  // A sleeping reader would not notice that it should end.
  if (resting) signalGroup(child.pid, 'SIGCONT');
  if (signal.aborted) await child.stop();
  signal.throwIfAborted();
  const { code } = await end;
  if (code === 0 && hash !== '') return hash;
  const disk = isDiskComplaint(complaint) ? 'met a disk error' : 'could not be read';
  throw new NoAnswerError(`${disk}: ${complaint === '' ? 'no word' : complaint}`);
}
