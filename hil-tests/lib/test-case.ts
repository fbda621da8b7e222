import type { Rig } from '../rig.ts';
import type { DeviceApi } from './device-api.ts';

/**
 * `off`: switched off. `booted`: up and ready. `provisioning`: new, with Imager's files, not started yet. `trial`: the other
 * slot runs and has not been judged yet. `committed`: the same, after it was judged good.
 */
export type StrategyName = 'off' | 'booted' | 'trial' | 'committed' | 'provisioning';

/** What a test gets. */
export interface TestContext {
  readonly rig: Rig;
  readonly api: DeviceApi;
  readonly signal: AbortSignal;
  /** Evenly distributed in [0, 1), the same sequence for the same seed. */
  readonly random: () => number;
  /** Adds a line to the report. */
  note(text: string): void;
  /** Waits for ready; returns how long it took from the call. */
  ready(): Promise<number>;
}

/** One thing the rig proves. Tests run in the order of the list, on one device. */
export interface TestCase {
  readonly name: string;
  /** `ci` runs by default; `long` only if it is named or with `--tests all`. */
  readonly selection: 'ci' | 'long';
  readonly needs: StrategyName;
  /** On a board; longer by the lab's slowness. */
  readonly timeoutMs: number;
  /** What it needs of the lab besides power, console, storage and network. */
  readonly uses?: readonly ('gpio' | 'video' | 'usb' | 'starts' | 'reference' | 'watchdog' | 'neighbours')[];
  /** False if a second attempt would hide what the first one found by chance; others are tried again after a timeout. */
  readonly retry?: false;
  run(context: TestContext): Promise<void>;
}
