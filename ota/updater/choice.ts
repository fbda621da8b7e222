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

/** Which of the releases on offer this machine, or another of the fleet, goes to by the owner's settings. */
export class Choice {
  readonly #offers: Offers;
  readonly #settings: () => UpdateSettings;
  #latest: Release | null = null;

  constructor(offers: Offers, settings: () => UpdateSettings) {
    this.#offers = offers;
    this.#settings = settings;
  }

  /** What the last decision was about; null where there was nothing newer. */
  get latest(): Release | null {
    return this.#latest;
  }

  /** What to do about this machine now. `request`: what somebody asked for; null: nobody did. */
  decide(facts: UpdateFacts, request: InstallRequest | null): UpdateDecision {
    const settings = this.#settings();
    const decision = decideUpdate(this.#offers.all(settings.channel), facts, settings, request);
    this.#latest = decision.type === 'none' ? null : decision.release;
    return decision;
  }

  /** The newest release for a machine, or the one named; null where there is none. */
  newestFor(machine: Machine, version: string | null): Release | null {
    if (!isVersion(machine.installedVersion)) return null;
    const all = this.#offers.all(this.#settings().channel);
    const releases = all.releases.filter((release) => version === null || release.version === version);
    return bestRelease({ ...all, releases }, machine, false).release;
  }

  /** What to do about another machine, where it may be updated whenever the owner's window is open. */
  decideFor(machine: Machine & Pick<UpdateFacts, 'failedVersion'>, own: UpdateFacts): UpdateDecision {
    const policy = { ...this.#settings(), install: 'idle' } as const;
    return decideUpdate(this.#offers.all(policy.channel), { ...own, ...machine }, policy, null);
  }

  /** @throws {OtaError} why the channel cannot be had */
  lookAtChannel(signal: AbortSignal): Promise<void> {
    return this.#offers.refreshChannel(this.#settings(), signal);
  }

  lookForMedia(signal: AbortSignal): Promise<void> {
    return this.#offers.refreshLocal(signal);
  }

  /** @throws {OtaError} `NO_CHANNEL` where there is nothing to look at, or why the channel cannot be had */
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
