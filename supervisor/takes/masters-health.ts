import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { diskObstacle, type Masters, type Take, type TakeStore } from '../../media/index.ts';
import type { HealthReporter } from '../system/health.ts';

/** More names than this are no help. */
const namesAtMost = 5;

/** What is watched, and how often. */
export interface MastersHealthOptions {
  readonly masters: Pick<Masters, 'diskTrouble'>;
  readonly store: Pick<TakeStore, 'root' | 'all'>;
  /** Called when it begins to look: a component that has not reported counts as degraded. */
  readonly register: () => HealthReporter;
  readonly log: Logger;
  /** Default 10,000. */
  readonly everyMs?: number;
}

/** Reports disks of masters that fail, and kept masters that are damaged. */
export class MastersHealth {
  readonly #options: MastersHealthOptions;
  #reported: string | null = null;

  constructor(options: MastersHealthOptions) {
    this.#options = options;
  }

  /** Until abort. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = 10_000 } = this.#options;
    using health = this.#options.register();
    while (!signal.aborted) {
      await this.#look(health);
      await pause(everyMs, signal);
    }
  }

  async #look(health: HealthReporter): Promise<void> {
    const { masters, store, log } = this.#options;
    const troubles = [
      masters.diskTrouble ?? (await diskObstacle(store.root)),
      await store.all().then(damageIn, (error: unknown) => `takes cannot be read: ${describeError(error)}`),
    ].filter((one) => one !== null);
    const reason = troubles.length === 0 ? null : troubles.join('; ');
    if (reason === null) health.ok();
    else health.degraded(reason);
    if (reason !== null && reason !== this.#reported) log.error({ reason }, 'masters are in danger');
    this.#reported = reason;
  }
}

/** Which takes are damaged, in words; null if none is. Pure. */
export function damageIn(takes: readonly Pick<Take, 'manifest' | 'damage'>[]): string | null {
  const unread = takes.filter(({ damage }) => damage !== null).map(({ manifest }) => manifest.id);
  const masters = takes.flatMap(({ manifest, damage }) =>
    damage !== null
      ? []
      : Object.entries(manifest.cameras)
          .filter(([, { segments }]) =>
            segments.some(({ verified, checkedAt }) => checkedAt !== null && verified?.ok === false),
          )
          .map(([camera]) => `${camera} of take ${manifest.id}`),
  );
  const parts = [
    masters.length === 0 ? null : `kept masters are damaged: ${listed(masters)}`,
    unread.length === 0 ? null : `take.json is damaged of take ${listed(unread)}`,
  ].filter((one) => one !== null);
  return parts.length === 0 ? null : parts.join('; ');
}

function listed(names: readonly string[]): string {
  const first = names.slice(0, namesAtMost).join(', ');
  return names.length > namesAtMost ? `${first} and ${names.length - namesAtMost} more` : first;
}
