import type { Updater } from '../../ota/index.ts';
import type { Update, UpdateInstall } from '../contract/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/** A bundle to install, from a path or an HTTP address. */
export type ChosenBundle = Parameters<Updater['installBundle']>[0];

/** What is on offer for the machines of a fleet, and whether a bundle is what it claims to be. */
export type ReleaseOffers = Pick<Updater, 'newestFor' | 'decideFor' | 'refreshOffers' | 'verifyBundle'>;

/** Updates as API and MQTT see them. */
export interface UpdatePort {
  status(): Update;
  /** Looks for updates now. */
  check(): Promise<Update>;
  install(request: UpdateInstall): Promise<Update>;
  rollback(): Promise<Update>;
  /** Installs one bundle that the hub chose. */
  installBundle(bundle: ChosenBundle): Promise<Update>;
  /** Cancels the running download or installation; false if there is none, or it has gone too far. */
  cancel(): Promise<boolean>;
  /** Settles once no installation is under way. */
  settled(): Promise<void>;
  /** Null if this machine cannot verify bundles. */
  readonly offers: ReleaseOffers | null;
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
      compatible: null,
      latestVersion: null,
      releaseNotes: null,
      state: 'unsupported',
      progressPercent: null,
      reason,
      slots: [],
      lastAttempt: null,
    }),
    check: refuse,
    install: refuse,
    rollback: refuse,
    installBundle: refuse,
    cancel: async () => false,
    settled: async () => {},
    offers: null,
    run: async () => {},
  };
}
