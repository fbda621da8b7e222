import { pause } from '../../common/pause.ts';
import type { HostStatus } from '../contract/index.ts';
import type { Host } from '../platform/host.ts';
import type { PowerState } from '../platform/proc-metrics.ts';
import type { ClockReading } from '../platform/time/clock.ts';

/** What is sampled, and how often. */
export interface HostMonitorOptions {
  readonly host: Host;
  /** The clock as its time service sees it; null if none answers. */
  readonly clock: () => ClockReading | null;
}

const sampleEveryMs = 2000;
/** Asking the firmware runs a program on a board. */
const powerEveryMs = 60_000;
/** Mostly a file for each disk; a disk itself is asked much less often. */
const wearEveryMs = 5 * 60_000;

/** Samples the machine's figures, so that readers never wait. */
export class HostMonitor {
  readonly #options: HostMonitorOptions;
  #latest: HostStatus;
  #power: PowerState | null = null;
  #wear: ReadonlyMap<string, number> = new Map();

  constructor(options: HostMonitorOptions) {
    this.#options = options;
    this.#latest = this.#sample();
  }

  get latest(): HostStatus {
    return this.#latest;
  }

  async run(signal: AbortSignal): Promise<void> {
    let askedPowerMs = Number.NEGATIVE_INFINITY;
    let askedWearMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      if (performance.now() - askedPowerMs >= powerEveryMs) {
        askedPowerMs = performance.now();
        this.#power = await this.#options.host.power();
      }
      if (performance.now() - askedWearMs >= wearEveryMs) {
        askedWearMs = performance.now();
        void this.#options.host.wear().then((wear) => {
          this.#wear = wear;
        });
      }
      await this.#options.host.lookAtDisks();
      this.#latest = this.#sample();
      await pause(sampleEveryMs, signal);
    }
  }

  #sample(): HostStatus {
    const clock = this.#options.clock();
    const { disks, network, uptimeS, clockSynced, ...figures } = this.#options.host.sample();
    return {
      ...figures,
      bootedAt: new Date(Math.round((Date.now() - uptimeS * 1000) / 10_000) * 10_000).toISOString(),
      power: this.#power,
      disks: disks.map((disk) => ({ ...disk, wearPercent: this.#wear.get(disk.mount) ?? null })),
      network: network.map((one) => ({ ...one, addresses: [...one.addresses] })),
      clock: { synced: clock?.synced ?? clockSynced, offsetMs: clock?.offsetMs ?? null },
    };
  }
}
