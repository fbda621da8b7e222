import { cardConfig } from '../lib/config.ts';
import type { DeviceApi } from '../lib/device-api.ts';
import type { StrategyName } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import type { Rig } from '../rig.ts';

const readyTimeoutMs = 90_000;

/** Brings the device from whatever it is in into what a test needs, by the shortest way. */
export class Strategy {
  readonly #rig: Rig;
  readonly #api: DeviceApi;
  #flashed = false;
  #state: StrategyName | 'unknown' = 'off';

  constructor(rig: Rig, api: DeviceApi) {
    this.#rig = rig;
    this.#api = api;
  }

  /** After a test that failed, or that left the device in no known state. */
  forget(): void {
    this.#state = 'unknown';
  }

  async reach(wanted: StrategyName, signal: AbortSignal): Promise<void> {
    if (wanted === 'booted' && this.#state === 'booted') {
      await this.ready(signal);
      return;
    }
    if (wanted === 'booted' && this.#state === 'unknown' && (await this.#isReady())) {
      this.#state = 'booted';
      return;
    }
    await this.#rig.network.forget();
    await this.#rig.power.off();
    if (wanted === 'provisioning' || !this.#flashed || this.#state === 'unknown') {
      await this.#rig.storage.flash();
      await this.#rig.storage.writeCard('rushlight.toml', cardConfig());
      this.#flashed = true;
    }
    this.#state = wanted;
    if (wanted !== 'booted') return;
    await this.#rig.power.on();
    await this.ready(signal);
  }

  /** After a failure: a device that still is ready need not be made anew. */
  async #isReady(): Promise<boolean> {
    try {
      return (await this.#api.call('readyz', { timeoutMs: 5000 * this.#rig.slowness })).status === 200;
    } catch {
      return false; // off, restarting or broken: all of that is "not ready"
    }
  }

  /** Waits until /readyz says ready; answers after how many seconds. */
  async ready(signal: AbortSignal): Promise<number> {
    const startedAt = Date.now();
    const { slowness } = this.#rig;
    await waitFor(
      'the device is ready',
      async () => {
        const { status, body } = await this.#api.call('readyz', { timeoutMs: 5000 * slowness });
        if (status === 200) return true;
        throw new Error(`/readyz answered ${status}: ${body.toString('utf8').slice(0, 300)}`);
      },
      { timeoutMs: readyTimeoutMs * slowness, signal },
    );
    this.#state = 'booted';
    return (Date.now() - startedAt) / 1000;
  }
}
