import { constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { access, makeFolder } from '../../common/disk-fs.ts';
import { EncodeSpeed, MasterCheck, Masters, RecordRates, TakeStore } from '../../media/index.ts';
import type { LinkedCameras } from '../contract/index.ts';
import type { Pipelines } from '../sources/index.ts';
import type { Foundation } from '../system/foundation.ts';
import { TroubleWatch } from '../system/trouble-watch.ts';
import { EncodeMeasurement } from './encode-measurement.ts';
import { LocalTakesOfMasters } from './local-takes.ts';
import { mastersTrouble } from './masters-health.ts';
import { RemainingTime } from './remaining-time.ts';
import { takesSection } from './take-book.ts';
import { TakeConductor, type TakeConductorOptions } from './take-conductor.ts';

/** What records: the masters of this machine, and the conductor of takes over all cameras. */
export interface Recording {
  readonly masters: Masters;
  readonly localTakes: LocalTakesOfMasters;
  readonly conductor: TakeConductor;
  readonly remaining: RemainingTime;
  readonly measurement: EncodeMeasurement;
  readonly check: MasterCheck;
  readonly mastersHealth: TroubleWatch;
}

/** Makes the recording parts. None of them does anything before it is run. */
export async function assembleRecording(
  base: Foundation,
  pipelines: Pipelines,
  cameras: LinkedCameras,
  listeners: Pick<TakeConductorOptions, 'onTake' | 'onGone' | 'onRefusal'>,
): Promise<Recording> {
  const { host, state, config, paths, identity, log } = base;
  const store = new TakeStore({ logger: log, roots: () => base.takes.all() });
  try {
    await makeFolder(store.root);
  } catch (error) {
    // A disk that the settings name is missing: takes are refused with that reason, and everything else runs.
    log.error({ err: error, folder: store.root }, 'the folder of the takes cannot be made');
  }
  // The state when the last run ended: from here on the conductor writes what it finds on the disks.
  const { running } = state.get(takesSection);
  const masters = new Masters({
    host,
    logger: log,
    store,
    speed: new EncodeSpeed({
      host,
      logger: log,
      scratch: tmpdir(),
      version: identity.version,
      cacheFile: join(paths.root, 'encode-speed.json'),
    }),
    rates: new RecordRates({ cacheFile: join(paths.root, 'record-rates.json'), logger: log }),
    settings: () => {
      const { codec, strategy, reserveMb } = config.current.config.masters;
      return { codec, strategy, reserveBytes: reserveMb * 1024 * 1024 };
    },
    cameras: () => pipelines.all().map(({ id, pipe, raw }) => ({ camera: id, pipe, raw })),
    pipeOf: (camera) => pipelines.pipeOf(camera),
    renewPipe: (camera) => pipelines.renewPipe(camera),
    sensorClockOf: (camera) => pipelines.sensorClockOf(camera),
    mayGoOn: (id) => running === undefined || running === id,
    onChange: (id) => localTakes.noteChange(id),
  });
  const check = new MasterCheck({
    host,
    logger: log,
    takes: () => store.all(),
    roots: async () => await presentAmong(store.roots),
    isBusy: () => masters.isBusy,
    onChange: (id) => localTakes.noteChange(id),
  });
  const localTakes = new LocalTakesOfMasters({
    masters,
    store,
    check,
    log,
    ready: () => base.takes.look(),
    recordable: () => pipelines.recordable().map(({ id }) => id),
  });
  const conductor = new TakeConductor({ local: localTakes, cameras, state, ...listeners, log });
  const remaining = new RemainingTime({ masters, log });
  const measurement = new EncodeMeasurement({ masters, log });
  const mastersHealth = new TroubleWatch({
    trouble: () => mastersTrouble(masters, store, base.takes.silence),
    logLine: 'masters are in danger',
    log,
    register: () => base.health.register('masters', { core: false }),
  });
  return { masters, localTakes, conductor, remaining, measurement, check, mastersHealth };
}

/** The folders that are there, on disks that answer. */
async function presentAmong(folders: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(
    folders.map((folder) =>
      access(folder, constants.R_OK).then(
        () => true,
        // Away, or silent: either way it is not there.
        () => false,
      ),
    ),
  );
  return folders.filter((_, index) => there[index]);
}
