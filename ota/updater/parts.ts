import { BlackBox } from '../black-box.ts';
import { defaultGateTiming } from '../health/health-gate.ts';
import { Rauc } from '../install/rauc.ts';
import { SystemSlots } from './system-slots.ts';
import { devicePaths, type UpdatePaths, type UpdaterOptions, type UpdateTiming } from './types.ts';
import { UpdaterState } from './updater-state.ts';

const defaultTiming: UpdateTiming = {
  gate: defaultGateTiming,
  tickMs: 60_000,
  firstCheckMs: 90_000,
  stallMs: 180_000,
  preflightMs: 30_000,
  retryMs: 3_600_000,
};

/** What the pieces of the updater share. */
export interface UpdaterParts {
  readonly options: UpdaterOptions;
  readonly timing: UpdateTiming;
  readonly paths: UpdatePaths;
  readonly rauc: Rauc;
  readonly box: BlackBox;
  readonly slots: SystemSlots;
  readonly state: UpdaterState;
}

/** Makes them. None of them does anything by itself. */
export function updaterParts(options: UpdaterOptions): UpdaterParts {
  const { children, folder, logger, now } = options;
  const paths = options.paths ?? devicePaths;
  const rauc = new Rauc(children);
  return {
    options,
    timing: { ...defaultTiming, ...options.timing },
    paths,
    rauc,
    box: new BlackBox(folder, logger, now),
    slots: new SystemSlots(paths, rauc, logger),
    state: new UpdaterState(),
  };
}
