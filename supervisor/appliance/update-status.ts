import type { Update, UpdateInstall } from '../api/contract.ts';
import { ApplianceError } from './appliance-error.ts';

/** Updates as API and MQTT see them. */
export interface UpdatePort {
  status(): Update;
  install(request: UpdateInstall): Promise<Update>;
  rollback(): Promise<Update>;
  /** Works until the signal ends it. */
  run(signal: AbortSignal): Promise<void>;
}

/** Updates on a machine that has no slots to install into, such as the simulation. */
export function unsupportedUpdate(installedVersion: string, reason: string): UpdatePort {
  const refuse = async (): Promise<Update> => {
    throw new ApplianceError('NOT_SUPPORTED_HERE', reason);
  };
  return {
    status: () => ({
      installedVersion,
      latestVersion: null,
      releaseNotes: null,
      state: 'unsupported',
      progressPercent: null,
      reason,
      slots: [],
      lastAttempt: null,
    }),
    install: refuse,
    rollback: refuse,
    run: async () => {},
  };
}
