import type { Logger } from 'pino';
import { routes, type UpdateOrder } from '../contract/index.ts';
import type { HubEndpoint } from '../discovery/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import { BundleRelay } from './bundle-relay.ts';
import { isBusy } from './fleet-members.ts';
import type { UpdatePort } from './update-status.ts';

type InstallOrder = Extract<UpdateOrder, { type: 'update-install' }>;

/** What a camera's updates by its hub need. */
export interface HubUpdatesOptions {
  readonly update: UpdatePort;
  readonly hub: () => HubEndpoint | null;
  /** Whether the owner lets the hub update this camera. */
  readonly conducted: () => boolean;
  readonly log: Logger;
}

/** A camera's side of a rollout: does what the hub orders, reading the bundle from the hub. */
export class HubUpdates {
  readonly #options: HubUpdatesOptions;
  #installing: string | null = null;

  constructor(options: HubUpdatesOptions) {
    this.#options = options;
  }

  /** Settles once the order is under way. Rejects with a coded error if it is refused. */
  async obey(order: UpdateOrder): Promise<void> {
    const { update, conducted } = this.#options;
    if (!conducted()) {
      throw new ApplianceError(
        'NOT_CONDUCTED',
        'Its settings keep updates to itself ([update] conducted = false).',
      );
    }
    if (order.type === 'update-install') await this.#install(order);
    else if (order.type === 'update-rollback') await update.rollback();
    else await update.cancel();
  }

  async #install({ version, sha256, sizeBytes }: InstallOrder): Promise<void> {
    const { update, hub, log } = this.#options;
    // The hub repeats an order if it does not know that it arrived.
    if (this.#installing === sha256 && isBusy(update.status().state)) return;
    const path = routes.getBundle.path.replace(':sha256', sha256);
    const relay = await BundleRelay.open({ hub, path, log });
    try {
      await update.installBundle({ source: relay.url, version, sizeBytes });
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw error;
    }
    this.#installing = sha256;
    void this.#closeAfter(relay);
  }

  async #closeAfter(relay: BundleRelay): Promise<void> {
    try {
      await this.#options.update.settled();
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the installation failed; its status says why');
    } finally {
      await relay[Symbol.asyncDispose]();
    }
  }
}
