import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Child, ChildHost } from '../../../common/child-host.ts';
import { isThere } from '../../../common/other-process.ts';
import { wakeReader } from '../../capture/raw-pipe.ts';
import { isSilence } from '../disk/disk-trouble.ts';
import {
  type EncodeSettings,
  type MasterStrategy,
  recordArgv,
  type SegmentFiles,
} from '../recorder/recorder-command.ts';
import type { SensorLog } from '../timing/sensor-log.ts';
import { type SegmentProgress, SegmentWatch } from './segment-watch.ts';

/** The segment to record. */
export interface SegmentOrder {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly name: string;
  readonly pipe: string;
  readonly files: SegmentFiles;
  readonly settings: EncodeSettings;
  readonly strategy: MasterStrategy;
  /** Keeps what the sensor's clock reports meanwhile. */
  readonly sensorLog: SensorLog;
  /** An earlier supervisor began the segment: its recorder is taken over if it still runs, and not started again. */
  readonly resumed: boolean;
  readonly reserveBytes: number;
  readonly freeBytes: (path: string) => Promise<number>;
  readonly signal: AbortSignal;
  /** Reports by how many seconds the machine's clock was set since the last call; null if it was not. */
  readonly clockStep: () => Promise<number | null>;
  readonly onFirstFrame: () => Promise<void>;
  readonly onProgress: (progress: SegmentProgress) => void;
  /** The kernel holds the recorder, which was ended: the pipe keeps a reader that never reads. */
  readonly onHeld: () => void;
  /** The disk does not answer; the recorder goes on. */
  readonly onSilence: (error: unknown) => void;
}

/** How a recorder ended. */
export interface SegmentOutcome {
  readonly endedBy: 'signal' | 'recorder' | 'disk';
  /** Whether the recorder is known to have written its end. */
  readonly clean: boolean;
  /** The last line the recorder wrote. */
  readonly lastWord: string | null;
}

const pollMs = 500;
const wakeEveryMs = 100;
/** ffmpeg's exit code after it obeyed a signal, its files complete. */
const exitAfterSignal = 255;

/**
 * Runs one recorder process until the signal aborts, the disk is full or it ends because capture did. Rejects if its files
 * cannot be read, for example because their disk was pulled; the recorder has been ended then, too.
 */
export async function recordSegment(order: SegmentOrder): Promise<SegmentOutcome> {
  let lastWord: string | null = null;
  const argv = recordArgv(order.pipe, order.files, order.strategy, order.settings);
  const spec = { name: order.name, argv, durable: true, stopSignal: 'SIGINT', stopTimeoutMs: 5000 } as const;
  const child = await order.host.spawn(spec, ({ text }) => {
    lastWord = text;
    order.logger.debug({ child: order.name, text }, 'recorder says');
  });
  if (order.resumed && !child.adopted) {
    // No recorder wrote any more: the new process must not touch what an earlier one left (-n sees to that, too).
    await stopRecorder(child, order);
    return { endedBy: 'recorder', clean: false, lastWord };
  }
  const endedBy = await follow(child, order).catch(async (error: unknown) => {
    // Left alone it would continue, and take its frames out of the pipe of the next take.
    await stopRecorder(child, order);
    throw error;
  });
  const exit = await child.exited;
  const clean = exit.code === 0 || (endedBy !== 'recorder' && exit.code === exitAfterSignal);
  return { endedBy, clean, lastWord };
}

/** Watches the growing files until the recorder has ended, for whatever reason. */
async function follow(child: Child, order: SegmentOrder): Promise<SegmentOutcome['endedBy']> {
  const file = order.strategy === 'spool' ? order.files.spool : order.files.master;
  using watch = new SegmentWatch(file, order.files.reference, order.settings.raw.fps);
  const looks = looker(watch, order);
  let hasEnded = false;
  let cause: 'signal' | 'disk' | null = null;
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const end = child.exited.then(() => {
    hasEnded = true;
    wake();
  });
  order.signal.addEventListener('abort', wake);
  while (!hasEnded && cause === null) {
    woken = Promise.withResolvers<void>();
    // A look at a disk that hangs delays no stop.
    const isFull = order.signal.aborted ? false : await Promise.race([looks.look(), woken.promise]);
    if (order.signal.aborted) cause = 'signal';
    else if (isFull === true) cause = 'disk';
    else await Promise.race([sleep(pollMs), woken.promise]);
  }
  order.signal.removeEventListener('abort', wake);
  if (!hasEnded && cause !== null) await stopRecorder(child, order);
  await end;
  if (!looks.isLooking) await looks.look();
  return cause ?? 'recorder';
}

/** Looks at the growing files, and tells whether the disk is full up to its reserve. */
function looker(watch: SegmentWatch, order: SegmentOrder) {
  let begun = false;
  let isLooking = false;
  const look = async (): Promise<boolean> => {
    const seconds = await order.clockStep();
    if (seconds !== null) watch.stepped(seconds);
    const [progress] = await Promise.all([watch.poll(), order.sensorLog.poll()]);
    order.onProgress(progress);
    if (!begun && progress.frames > 0) {
      begun = true;
      await order.onFirstFrame();
    }
    return (await order.freeBytes(dirname(order.files.reference))) <= order.reserveBytes;
  };
  return {
    get isLooking() {
      return isLooking;
    },
    /** A disk that does not answer is no reason to end a recorder: what it writes may still arrive. */
    look: async () => {
      isLooking = true;
      try {
        return await look();
      } catch (error) {
        if (!isSilence(error)) throw error;
        order.onSilence(error);
        return false;
      } finally {
        isLooking = false;
      }
    },
  };
}

async function stopRecorder(child: Child, { pipe, onHeld }: SegmentOrder): Promise<void> {
  let isGone = false;
  const stopped = child.stop().finally(() => {
    isGone = true;
  });
  // A process that still sleeps in open(2) gets no signal until it is woken. A new one may not be there yet.
  while (!isGone) {
    await wakeReader(pipe);
    await Promise.race([stopped, sleep(wakeEveryMs)]);
  }
  const { signal } = await stopped;
  if (signal === 'SIGKILL' && isThere(child.pid)) onHeld();
}
