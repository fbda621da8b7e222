import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from 'pino';
import { errorCode } from '../../common/errors.ts';
import { untilAborted } from '../../common/pause.ts';

/** How {@link watchFile} watches. */
export interface FileWatchOptions {
  readonly file: string;
  readonly logger: Logger;
  /** Called some time after a change; never while an earlier call runs. */
  readonly onChange: () => Promise<void>;
  /** Quiet time after the last sign of a change, in milliseconds. Default 200. */
  readonly debounceMs?: number;
  /**
   * Interval of looks at the file without a sign of change, such as on a FAT card that was changed in another machine, in
   * milliseconds. Default 2000.
   */
  readonly pollMs?: number;
}

/** Watches one file until the signal is aborted. It watches the folder, so that it notices editors that replace the file. */
export async function watchFile(options: FileWatchOptions, signal: AbortSignal): Promise<void> {
  const { file, debounceMs = 200, pollMs = 2000 } = options;
  let seen: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(options.onChange).catch((error: unknown) => {
        options.logger.error({ err: error, file }, 'cannot take over a change of the config');
      });
    }, debounceMs);
  };
  const look = async () => {
    const now = await fingerprint(file);
    if (now === seen || signal.aborted) return;
    seen = now;
    schedule();
  };
  const watcher = watchFolder(options, schedule);
  // The first look finds what changed between the caller's own reading and the watch.
  void look();
  const poll = setInterval(() => void look(), pollMs);
  await untilAborted(signal);
  watcher?.close();
  clearInterval(poll);
  clearTimeout(timer);
  await running;
}

function watchFolder({ file, logger }: FileWatchOptions, schedule: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(file), (_event, name) => {
      if (name === null || name === basename(file)) schedule();
    });
    watcher.on('error', (error) =>
      logger.warn({ err: error, file }, 'the config is only polled from now on'),
    );
    return watcher;
  } catch (error) {
    logger.warn({ err: error, file }, 'the config is only polled');
    return undefined;
  }
}

async function fingerprint(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return errorCode(error) ?? 'unknown';
  }
}
