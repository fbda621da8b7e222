import { cardConfig } from '../lib/config.ts';
import type { DeviceApi } from '../lib/device-api.ts';
import { RigError } from '../lib/errors.ts';
import { readSlots, startTrial } from '../lib/slots.ts';
import type { StrategyName } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import type { Rig } from '../rig.ts';

const readyTimeoutMs = 90_000;
const commitTimeoutMs = 120_000;

/** Brings the device from any state into the one a test needs, in the shortest way. */
export class Strategy {
  readonly #rig: Rig;
  readonly #api: DeviceApi;
  #flashed = false;
  #state: StrategyName | 'unknown' = 'off';

  constructor(rig: Rig, api: DeviceApi) {
    this.#rig = rig;
    this.#api = api;
  }

  /** After a test that failed, or that left the device in an unknown state. */
  forget(): void {
    this.#state = 'unknown';
  }

  async reach(wanted: StrategyName, signal: AbortSignal): Promise<void> {
    switch (wanted) {
      case 'off':
      case 'provisioning':
        return await this.#switchedOff(wanted);
      case 'booted':
        return await this.#booted(signal);
      case 'trial':
        await this.#booted(signal);
        return await this.#onTrial(signal);
      case 'committed':
        await this.#booted(signal);
        await this.#onTrial(signal);
        return await this.#committed(signal);
    }
  }

  /** Waits until /readyz says ready; returns after how many seconds. */
  async ready(signal: AbortSignal): Promise<number> {
    const startedAt = Date.now();
    const { slowness } = this.#rig;
    await waitFor(
      'the device is ready',
      async () => {
        const { status, body } = await this.#api.call('readyz', { timeoutMs: 5000 * slowness });
        if (status === 200) return true;
        throw new RigError(
          'RIG_TIMEOUT',
          `/readyz answered ${status}: ${body.toString('utf8').slice(0, 300)}`,
        );
      },
      // Each question is a TLS handshake, which costs an emulated processor a good part of a second.
      { timeoutMs: readyTimeoutMs * slowness, pollMs: 2000, signal },
    );
    this.#state = 'booted';
    return (Date.now() - startedAt) / 1000;
  }

  async #switchedOff(wanted: 'off' | 'provisioning'): Promise<void> {
    await this.#rig.network.forget();
    await this.#rig.power.off();
    if (wanted === 'provisioning' || !this.#flashed || this.#state === 'unknown') {
      await this.#rig.storage.flash();
      await this.#rig.storage.writeCard('rushlight.toml', cardConfig());
      this.#flashed = true;
    }
    this.#state = wanted;
  }

  async #booted(signal: AbortSignal): Promise<void> {
    if (this.#state === 'unknown' && (await this.#isReady())) this.#state = 'booted';
    if (this.#state !== 'booted' && this.#state !== 'committed') {
      await this.#switchedOff('off');
      await this.#rig.power.on();
    }
    await this.ready(signal);
  }

  /** The other slot, which has the same system in the image, runs and has not been judged yet. */
  async #onTrial(signal: AbortSignal): Promise<void> {
    const before = await readSlots(this.#rig);
    await startTrial(this.#rig, before);
    this.#state = 'unknown';
    const now = await waitFor('the trial has started', () => this.#slotsAfter(before.bootId), {
      timeoutMs: readyTimeoutMs * this.#rig.slowness,
      signal,
    });
    if (now.booted === before.booted) {
      throw new RigError('RIG_UNSUPPORTED', 'the firmware started the committed slot instead of the trial');
    }
    this.#state = 'trial';
  }

  async #committed(signal: AbortSignal): Promise<void> {
    await this.ready(signal);
    await waitFor(
      'the trial is committed',
      async () => {
        const { booted, committed } = await readSlots(this.#rig);
        return booted === committed;
      },
      { timeoutMs: commitTimeoutMs * this.#rig.slowness, signal },
    );
    this.#state = 'committed';
  }

  /** The selector's answer once another start than the given one runs; undefined until then. */
  async #slotsAfter(bootId: string) {
    await this.#rig.network.forget();
    const now = await readSlots(this.#rig);
    return now.bootId === bootId ? undefined : now;
  }

  /** After a failure: a device that is still ready need not be written again. */
  async #isReady(): Promise<boolean> {
    try {
      return (await this.#api.call('readyz', { timeoutMs: 5000 * this.#rig.slowness })).status === 200;
    } catch {
      return false; // off, restarting or broken: all of that is "not ready"
    }
  }
}
