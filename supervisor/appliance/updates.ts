import type { ExclusiveRunner } from '../process/exclusive-runner.ts';
import type { Foundation } from './foundation.ts';
import { type ProbeParts, updateProbes } from './update-probes.ts';
import { UpdateService } from './update-service.ts';
import { type UpdatePort, unsupportedUpdate } from './update-status.ts';

/** Updates of this machine; in the simulation there is nothing to update. */
export function assembleUpdates(
  base: Foundation,
  runner: ExclusiveRunner,
  parts: Omit<ProbeParts, 'takesRoot'> & { takeRunning: () => boolean; onChange: () => void },
): UpdatePort {
  const { options, identity } = base;
  if (options.simulation) {
    return unsupportedUpdate(identity.version, 'Updates need the slots of the Rushlight image.');
  }
  const { takeRunning, onChange } = parts;
  return new UpdateService({
    ...{ base, runner, takeRunning, onChange },
    probes: updateProbes({ ...parts, takesRoot: () => base.takes.current().path }),
  });
}
