import { join } from 'node:path';
import type { HubRole } from '../hub/index.ts';
import type { ExclusiveRunner } from '../process/exclusive-runner.ts';
import type { Foundation } from '../system/foundation.ts';
import { Rollouts, type RolloutsOptions } from './rollouts.ts';
import { type ProbeParts, updateProbes } from './update-probes.ts';
import { UpdateService, type UpdateServiceParts } from './update-service.ts';
import { type UpdatePort, unsupportedUpdate } from './update-status.ts';

/** Updates of this machine; in the simulation there is nothing to update. */
export function assembleUpdates(
  base: Foundation,
  runner: ExclusiveRunner,
  parts: Omit<ProbeParts, 'takesRoot'> &
    Pick<UpdateServiceParts, 'takeRunning' | 'leftToRollout' | 'onChange'>,
): UpdatePort {
  const { options, identity } = base;
  if (options.simulation) {
    return unsupportedUpdate(identity.version, 'Updates need the slots of the Rushlight image.');
  }
  const { takeRunning, leftToRollout, onChange } = parts;
  return new UpdateService({
    base,
    runner,
    takeRunning,
    leftToRollout,
    onChange,
    probes: updateProbes({ ...parts, takesRoot: () => base.takes.current().path }),
  });
}

/** The hub's part: it updates its cameras, and then itself. */
export function assembleRollouts(
  base: Foundation,
  parts: Pick<RolloutsOptions, 'update' | 'takeRunning' | 'onChange'> & {
    readonly hubRole: HubRole;
    readonly isHub: () => boolean;
  },
): Rollouts {
  const { config, paths, identity, name, log } = base;
  const { hubRole, ...rest } = parts;
  return new Rollouts({
    ...rest,
    hub: () => ({ id: identity.id, name: name() }),
    cameras: hubRole.cameras,
    byItself: () => config.current.config.update.install === 'idle' && conductsCameras(base, hubRole),
    folder: join(paths.root, 'ota'),
    fetch: globalThis.fetch,
    log: log.child({ part: 'rollout' }),
  });
}

/** Whether this hub and its cameras are updated together. */
export function conductsCameras({ config }: Foundation, hubRole: HubRole): boolean {
  return config.current.config.update.conducted && hubRole.hasCameras;
}
