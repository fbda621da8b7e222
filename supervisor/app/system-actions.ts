import type { Logger } from 'pino';
import type { ChildHost } from '../../media/index.ts';
import type { Tally } from '../contract/index.ts';
import type { ApiPorts } from '../contract/ports.ts';
import type { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { TakeConductor } from '../takes/index.ts';

/** What the actions need. */
export interface SystemActionsOptions {
  readonly host: ChildHost;
  readonly runner: ExclusiveRunner;
  readonly conductor: Pick<TakeConductor, 'current'>;
  readonly simulation: boolean;
  /** Makes the lights show which appliance this is. */
  readonly identify: () => Promise<void>;
  readonly onTally: () => void;
  readonly log: Logger;
}

/** The commands for the whole machine. */
export class SystemActions {
  readonly #options: SystemActionsOptions;
  #tally: Tally['state'] = 'off';

  constructor(options: SystemActionsOptions) {
    this.#options = options;
  }

  get tally(): Tally['state'] {
    return this.#tally;
  }

  ports(): ApiPorts['system'] {
    return {
      identify: () => this.#options.identify(),
      restart: ({ force }) => this.#goDown(['reboot'], force),
      shutdown: ({ force }) => this.#goDown(['poweroff'], force),
      // The image's own unit marks the data partition, and the next start formats it.
      factoryReset: ({ force }) => this.#goDown(['start', 'rushlight-factory-reset.service'], force),
      setTally: async ({ state }) => {
        this.#tally = state;
        this.#options.onTally();
        return { state };
      },
    };
  }

  async #goDown(verb: readonly string[], force: boolean): Promise<void> {
    const { host, runner, simulation, log } = this.#options;
    if (simulation) {
      throw new ApplianceError('NOT_SUPPORTED_HERE', 'The simulation does not touch the machine it runs on.');
    }
    if (!force) this.#refuseDuringTake();
    await runner.run('reboot', async () => {
      // Its turn may come late, after an update for example; a take may have begun meanwhile.
      if (!force) this.#refuseDuringTake();
      log.warn({ verb }, 'the machine is shutting down');
      const child = await host.spawn({ name: 'systemctl', argv: ['systemctl', '--no-block', ...verb] });
      const { code } = await child.exited;
      if (code !== 0)
        throw new ApplianceError(
          'NOT_SUPPORTED_HERE',
          `systemctl ${verb.join(' ')} failed with code ${code}.`,
        );
    });
  }

  #refuseDuringTake(): void {
    const take = this.#options.conductor.current();
    if (take === null) return;
    throw new ApplianceError('TAKE_RUNNING', `Take ${take.id} is running.`, {
      hint: 'Stop it first, or force it: the take then ends here.',
    });
  }
}
