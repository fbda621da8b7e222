import {
  bestRelease,
  decideUpdate,
  type UpdateDecision,
  type UpdateFacts,
} from '../channel/decide-update.ts';
import type { Release } from '../channel/manifest.ts';
import { OtaError } from '../errors.ts';
import { isVersion } from '../version.ts';
import type { Offers } from './offers.ts';
import type { InstallRequest, UpdateSettings } from './types.ts';

type Machine = Pick<UpdateFacts, 'compatible' | 'installedVersion'>;

/** Chooses the release that this machine, or another of the fleet, gets by the owner's settings. */
export class Choice {
  readonly #offers: Offers;
  readonly #settings: () => UpdateSettings;
  #latest: Release | null = null;

  constructor(offers: Offers, settings: () => UpdateSettings) {
    this.#offers = offers;
    this.#settings = settings;
  }

  /** What the last decision was about; null if there was nothing newer. */
  get latest(): Release | null {
    return this.#latest;
  }

  /** Decides about this machine now. `request`: what someone asked for; null: no one did. */
  decide(facts: UpdateFacts, request: InstallRequest | null): UpdateDecision {
    const settings = this.#settings();
    const decision = decideUpdate(this.#offers.all(settings.channel), facts, settings, request);
    this.#latest = decision.type === 'none' ? null : decision.release;
    return decision;
  }

  /** The newest release for a machine, or the one named; null if there is none. */
  newestFor(machine: Machine, version: string | null): Release | null {
    if (!isVersion(machine.installedVersion)) return null;
    const all = this.#offers.all(this.#settings().channel);
    const releases = all.releases.filter((release) => version === null || release.version === version);
    return bestRelease({ ...all, releases }, machine, false).release;
  }

  /** Decides about another machine, which may be updated while the owner's window is open. */
  decideFor(machine: Machine & Pick<UpdateFacts, 'failedVersion'>, own: UpdateFacts): UpdateDecision {
    const policy = { ...this.#settings(), install: 'idle' } as const;
    return decideUpdate(this.#offers.all(policy.channel), { ...own, ...machine }, policy, null);
  }

  /** @throws {OtaError} why the channel cannot be read */
  lookAtChannel(signal: AbortSignal): Promise<void> {
    return this.#offers.refreshChannel(this.#settings(), signal);
  }

  lookForMedia(signal: AbortSignal): Promise<void> {
    return this.#offers.refreshLocal(signal);
  }

  /** @throws {OtaError} `NO_CHANNEL` if there is nowhere to look, or why the channel cannot be read */
  async lookEverywhere(signal: AbortSignal): Promise<void> {
    await this.lookForMedia(signal);
    const { url, channel } = this.#settings();
    if (url === null && this.#offers.all(channel).releases.length === 0) {
      throw new OtaError(
        'NO_CHANNEL',
        'no update channel is set, and no stick with an update is plugged in',
        {
          hint: 'set [update] url, or plug in a stick with the bundle',
        },
      );
    }
    await this.lookAtChannel(signal);
  }
}
