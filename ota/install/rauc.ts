import pLimit from 'p-limit';
import { z } from 'zod';
import type { ChildHost } from '../../common/child-host.ts';
import { messageOf } from '../../common/errors.ts';
import { OtaError } from '../errors.ts';
import { runToEnd } from '../run-program.ts';
import type { SlotName } from '../selector/slot.ts';
import { raucError } from './rauc-errors.ts';
import { StallWatch } from './stall-watch.ts';

const bundleInfoSchema = z.object({
  compatible: z.string(),
  version: z.string().nullable(),
  description: z.string().nullable(),
  images: z.array(z.record(z.string(), z.object({ size: z.number().optional() }).loose())),
});

/** What a verified bundle says about itself. */
export interface BundleInfo {
  readonly compatible: string;
  readonly version: string | null;
  readonly description: string | null;
}

const statusSchema = z.object({
  compatible: z.string(),
  booted: z.string().nullable(),
  slots: z.array(
    z.record(z.string(), z.looseObject({ bootname: z.string().nullish(), slot_status: z.unknown() })),
  ),
});

const slotStatusSchema = z.looseObject({
  bundle: z.looseObject({ version: z.string().nullish() }).optional(),
});

/** The slots as RAUC sees them. */
export interface RaucStatus {
  readonly compatible: string;
  readonly versions: Readonly<Record<SlotName, string | null>>;
}

/** How far an installation is. */
export interface Progress {
  readonly percent: number;
  readonly step: string;
}

/** How an installation runs. */
export interface InstallOptions {
  /** It is given up after this long without progress or activity. */
  readonly stallMs: number;
  /** A number that grows while an installation works. */
  readonly activity: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** `rauc` as a program: its arguments, its output, its failures as typed errors. */
export class Rauc {
  readonly #children: ChildHost;
  readonly #program: string;
  readonly #options: readonly string[];
  /** The search for bundles and an installation may ask at the same moment, and two children of one name cannot run. */
  readonly #inTurn = pLimit(1);
  /**
   * What changes a slot or its mark: RAUC refuses a mark while it installs, and would leave this boot unconfirmed. Not the
   * same queue, because bundles are looked at during an installation.
   */
  readonly #changes = pLimit(1);

  constructor(children: ChildHost, program = 'rauc', options: readonly string[] = []) {
    this.#children = children;
    this.#program = program;
    this.#options = options;
  }

  /**
   * Verifies a local bundle's signature and reads its manifest. Its payload is checked while it is installed.
   * @throws {OtaError} the reason why it is refused
   */
  async inspect(path: string, signal?: AbortSignal): Promise<BundleInfo> {
    const lines = await this.#run('rauc-info', ['info', '--output-format=json', path], signal);
    const json = parseJsonLine(lines, bundleInfoSchema, 'rauc info');
    return { compatible: json.compatible, version: json.version, description: json.description };
  }

  /** @throws {OtaError} `INSTALL_FAILED` if RAUC cannot say */
  async status(signal?: AbortSignal): Promise<RaucStatus> {
    const lines = await this.#run('rauc-status', ['status', '--detailed', '--output-format=json'], signal);
    const status = parseJsonLine(lines, statusSchema, 'rauc status');
    const versions: Record<SlotName, string | null> = { A: null, B: null };
    for (const slot of status.slots.flatMap((each) => Object.values(each))) {
      if (slot.bootname !== 'A' && slot.bootname !== 'B') continue;
      const detail = slotStatusSchema.safeParse(slot.slot_status);
      versions[slot.bootname] = detail.success ? (detail.data.bundle?.version ?? null) : null;
    }
    return { compatible: status.compatible, versions };
  }

  /**
   * Installs a bundle (a path or an http(s) URL, which is streamed) into the slot that is not running and arms it.
   * @throws {OtaError} the reason it failed; `DOWNLOAD_STALLED`; `UPDATE_CANCELLED` by the signal
   */
  install(source: string, options: InstallOptions): Promise<void> {
    return this.#changes(() => this.#install(source, options));
  }

  async #install(source: string, options: InstallOptions): Promise<void> {
    const { signal, onProgress } = options;
    await using watch = new StallWatch(options.stallMs, options.activity).start();
    const argv = [this.#program, ...this.#options, 'install', source] as const;
    const result = await runToEnd(this.#children, 'rauc-install', argv, {
      signal: AbortSignal.any([signal, watch.stalled]),
      timeoutMs: 6 * 3_600_000,
      onLine: (text) => {
        const progress = parseProgress(text);
        if (progress === null) return;
        watch.noteProgress();
        onProgress(progress);
      },
    });
    if (signal.aborted || watch.stalled.aborted) await this.#giveUp();
    if (signal.aborted) throw new OtaError('UPDATE_CANCELLED', 'the installation was cancelled');
    if (watch.stalled.aborted) {
      const seconds = Math.round(options.stallMs / 1000);
      throw new OtaError('DOWNLOAD_STALLED', `nothing arrived for ${seconds} s`);
    }
    if (result.code !== 0) throw raucError(result.lines);
  }

  /** Commits the running slot, or confirms it again. */
  async markGood(signal?: AbortSignal): Promise<void> {
    await this.#changes(() => this.#run('rauc-mark-good', ['status', 'mark-good', 'booted'], signal));
  }

  /** Marks the running slot, which is on trial, as bad. */
  async markBad(signal?: AbortSignal): Promise<void> {
    await this.#changes(() => this.#run('rauc-mark-bad', ['status', 'mark-bad', 'booted'], signal));
  }

  /** Arms the other slot for a trial. */
  async activateOther(signal?: AbortSignal): Promise<void> {
    await this.#changes(() => this.#run('rauc-mark-active', ['status', 'mark-active', 'other'], signal));
  }

  /** The client is gone by now, but the service would keep installing: it has to be stopped, and starts on demand. */
  async #giveUp(): Promise<void> {
    try {
      await runToEnd(this.#children, 'rauc-stop', ['systemctl', 'stop', 'rauc.service'], {
        timeoutMs: 60_000,
      });
    } catch (cause) {
      throw new OtaError('INSTALL_FAILED', 'a hanging installation could not be stopped', { cause });
    }
  }

  async #run(name: string, args: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    const argv = [this.#program, ...this.#options, ...args] as const;
    const run = () => runToEnd(this.#children, name, argv, signal === undefined ? {} : { signal });
    const result = await this.#inTurn(run);
    if (result.code !== 0) throw raucError(result.lines);
    return result.stdout;
  }
}

/** ` 40% Checking bundle done.` */
export function parseProgress(line: string): Progress | null {
  const match = /^\s*(\d{1,3})%\s+(.*)$/.exec(line);
  if (match === null) return null;
  return { percent: Math.min(100, Number(match[1])), step: (match[2] ?? '').trim() };
}

function parseJsonLine<T>(lines: readonly string[], schema: z.ZodType<T>, what: string): T {
  const line = lines.find((each) => each.startsWith('{')) ?? '';
  try {
    return schema.parse(JSON.parse(line));
  } catch (cause) {
    throw new OtaError(
      'INSTALL_FAILED',
      `${what} answered in another form: ${messageOf(cause).slice(0, 200)}`,
      {
        cause,
      },
    );
  }
}
