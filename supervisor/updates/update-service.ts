import { join } from 'node:path';
import { type HealthProbes, runHawkbit, Updater, type UpdateSettings } from '../../ota/index.ts';
import { resolveConfigPath } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Update, UpdateInstall } from '../contract/index.ts';
import type { ExclusiveRunner } from '../process/exclusive-runner.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { Foundation } from '../system/foundation.ts';
import type { ChosenBundle, ReleaseOffers, UpdatePort } from './update-status.ts';

/** The parts that updates need. */
export interface UpdateServiceParts {
  readonly base: Foundation;
  readonly runner: ExclusiveRunner;
  readonly takeRunning: () => boolean;
  readonly probes: HealthProbes;
  /** Whether the rollout decides when this machine installs something. */
  readonly leftToRollout: () => boolean;
  readonly onChange: () => void;
}

/** Wires the updater into the appliance: settings, health, and restarts. */
export class UpdateService implements UpdatePort {
  readonly #base: Foundation;
  readonly #leftToRollout: () => boolean;
  readonly #updater: Updater;
  readonly #onChange: () => void;

  constructor({ base, runner, takeRunning, probes, leftToRollout, onChange }: UpdateServiceParts) {
    const { paths, identity, host, machine, log } = base;
    this.#base = base;
    this.#leftToRollout = leftToRollout;
    this.#onChange = onChange;
    this.#updater = new Updater({
      children: host,
      logger: log.child({ part: 'update' }),
      fetch: globalThis.fetch,
      folder: join(paths.root, 'ota'),
      installedVersion: identity.version,
      deviceId: identity.id,
      settings: () => this.#settings(),
      takeRunning,
      probes,
      exclusive: (task) => runner.run('update', task),
      restart: (trial) => restart(base, trial),
      now: () => new Date(),
      clockIsSet: () => machine.sample().clockSynced !== false,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#updater.onChange(this.#onChange);
    try {
      await Promise.all([this.#updater.run(signal), this.#hawkbit(signal)]);
    } finally {
      unsubscribe();
    }
  }

  async #hawkbit(signal: AbortSignal): Promise<void> {
    const { identity, paths, log } = this.#base;
    await runHawkbit(
      {
        updater: this.#updater,
        settings: () => this.#ownSettings(),
        deviceId: identity.id,
        attributes: () => ({ version: identity.version, model: identity.model }),
        folder: join(paths.root, 'ota'),
        fetch: globalThis.fetch,
        logger: log.child({ part: 'hawkbit' }),
        now: () => new Date(),
      },
      signal,
    );
  }

  status(): Update {
    return this.#updater.status();
  }

  check(): Promise<Update> {
    return this.#updater.check();
  }

  install(request: UpdateInstall): Promise<Update> {
    return this.#updater.install(request);
  }

  rollback(): Promise<Update> {
    return this.#updater.rollback();
  }

  async installBundle(bundle: ChosenBundle): Promise<Update> {
    return this.#updater.installBundle(bundle);
  }

  cancel(): Promise<boolean> {
    return this.#updater.cancel();
  }

  settled(): Promise<void> {
    return this.#updater.settled;
  }

  get offers(): ReleaseOffers | null {
    return this.#updater.status().state === 'unsupported' ? null : this.#updater;
  }

  /** A machine that is updated by a rollout does not install by itself; the policy then counts where the rollout starts. */
  #settings(): UpdateSettings {
    const settings = this.#ownSettings();
    return settings.install === 'idle' && this.#leftToRollout() ? { ...settings, install: 'ask' } : settings;
  }

  #ownSettings(): UpdateSettings {
    const { config, options } = this.#base;
    return updateSettings(config.current.config.update, options.configFile);
  }
}

/** `[update]` in the updater's terms. Paths in the settings are relative to their file. Pure. */
export function updateSettings(settings: Config['update'], configFile: string): UpdateSettings {
  const { url, window, hawkbitUrl, hawkbitTokenFile, conducted: _, ...rest } = settings;
  return {
    ...rest,
    url: url ?? null,
    window: window ?? null,
    hawkbitUrl: hawkbitUrl ?? null,
    hawkbitTokenFile: hawkbitTokenFile === undefined ? null : resolveConfigPath(configFile, hawkbitTokenFile),
  };
}

/** `0 tryboot` reaches the firmware through the kernel's restart command; only logind can set it for us. */
async function restart({ host, log }: Foundation, trial: boolean): Promise<void> {
  log.warn({ trial }, 'restarting for an update');
  const manager = [
    'org.freedesktop.login1',
    '/org/freedesktop/login1',
    'org.freedesktop.login1.Manager',
  ] as const;
  const steps: [string, ...string[]][] = [
    ...(trial
      ? [['busctl', 'call', ...manager, 'SetRebootParameter', 's', '0 tryboot'] as [string, ...string[]]]
      : []),
    ['systemctl', '--no-block', 'reboot'],
  ];
  for (const argv of steps) {
    const child = await host.spawn({ name: 'restart', argv });
    const { code } = await child.exited;
    if (code !== 0) throw new ApplianceError('NOT_SUPPORTED_HERE', `${argv[0]} failed with code ${code}.`);
  }
}
