import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { SpawningChildHost } from '../../common/child-host.fake.ts';
import { parseConfig } from '../config/parse.ts';
import { desiredState } from '../roles/desired-state.ts';
import { Pipelines } from './pipelines.ts';

/** Pipelines of a hub with real programs. What they send arrives nowhere. */
export interface PipelinesRig extends AsyncDisposable {
  readonly pipelines: Pipelines;
  readonly host: SpawningChildHost;
  /** Where the settings lie, and relative paths in them begin. */
  readonly folder: string;
  /** How often the pipelines asked to be applied again. */
  readonly wishes: number;
  apply(): Promise<void>;
}

/** Makes them for these settings; nothing runs before `apply`. */
export async function openPipelines(settings: string, recording = false): Promise<PipelinesRig> {
  const parsed = parseConfig(settings);
  if (!parsed.ok) throw new Error('the settings are not valid');
  const folder = await mkdtemp(join(tmpdir(), 'pipelines-'));
  const host = new SpawningChildHost();
  let wishes = 0;
  const pipelines = new Pipelines({
    host,
    ports: { portOf: async () => 9, keepOnly: async () => {} },
    runFolder: folder,
    configFile: join(folder, 'rushlight.toml'),
    devices: () => [],
    hardwareEncoder: null,
    model: 'PC',
    recording: () => recording,
    publishPictures: () => {
      throw new Error('these sources send video');
    },
    onLinkRate: () => {
      wishes += 1;
    },
    onChange: () => {},
    log: pino({ level: 'silent' }),
  });
  const desired = desiredState(parsed.config, 'hub', { cameras: [] });
  return {
    pipelines,
    host,
    folder,
    get wishes() {
      return wishes;
    },
    apply: () => pipelines.apply(desired),
    async [Symbol.asyncDispose]() {
      await pipelines.close();
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
