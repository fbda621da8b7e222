import { type FSWatcher, watch } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Logger } from 'pino';
import type { ChildHost } from '../../../common/child-host.ts';
import { describeError } from '../../../common/errors.ts';
import { untilAborted } from '../../../common/pause.ts';
import { SupervisedChild } from '../../process/supervised-child.ts';

/** Where events come from. */
export interface HotplugMonitorOptions {
  readonly host: ChildHost;
  readonly log: Logger;
  /** Default `udevadm`, found on the PATH. */
  readonly udevadm?: string;
  /** Exists if udev works. Default /run/udev/control. */
  readonly udevSocket?: string;
  /** Default /dev. */
  readonly devFolder?: string;
}

/**
 * Reports when video devices come and go: by one long-lived `udevadm monitor`, whose events come after udev has made its links;
 * without udev (in containers), by watching /dev.
 */
export class HotplugMonitor {
  readonly #options: HotplugMonitorOptions;

  constructor(options: HotplugMonitorOptions) {
    this.#options = options;
  }

  /** Calls `onChange` for each event, and each time events may have been missed, until abort. */
  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    const { log, udevSocket = '/run/udev/control' } = this.#options;
    const program = await findProgram(this.#options.udevadm ?? 'udevadm');
    if (program !== null && (await exists(udevSocket))) return await this.#monitor(program, signal, onChange);
    log.info('no udev here: watching the device folder instead');
    await this.#watchFolder(signal, onChange);
  }

  async #monitor(program: string, signal: AbortSignal, onChange: () => void): Promise<void> {
    const monitor = new SupervisedChild({
      host: this.#options.host,
      logger: this.#options.log,
      spec: {
        name: 'udev-monitor',
        argv: [program, 'monitor', '--udev', '--subsystem-match=video4linux'],
        stopTimeoutMs: 1000,
      },
      isReady: ({ text }) => text.startsWith('UDEV - '),
      onLine: ({ text }) => {
        if (isUdevEvent(text)) onChange();
      },
      onState: ({ phase }) => {
        if (phase === 'running') onChange();
      },
    });
    await monitor.run(signal);
  }

  async #watchFolder(signal: AbortSignal, onChange: () => void): Promise<void> {
    const folder = this.#options.devFolder ?? '/dev';
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || /^video\d+$/.test(name)) onChange();
      });
    } catch (error) {
      this.#options.log.warn(`cameras plugged in later are not noticed: ${describeError(error)}`);
      return;
    }
    watcher.on('error', (error) => this.#options.log.warn(`${folder}: ${describeError(error)}`));
    await untilAborted(signal);
    watcher.close();
  }
}

/** A line of `udevadm monitor`, such as `UDEV  [34483.78] add      /devices/…/video4linux/video2 (video4linux)`. */
export function isUdevEvent(line: string): boolean {
  return /^UDEV +\[\d+\.\d+\] +(add|remove|change|bind|unbind|move) +\S+ \(video4linux\)$/.test(line);
}

async function findProgram(name: string): Promise<string | null> {
  const folders = name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  for (const folder of folders) {
    const path = folder === '' ? name : join(folder, name);
    if (await exists(path, constants.X_OK)) return path;
  }
  return null;
}

async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}
