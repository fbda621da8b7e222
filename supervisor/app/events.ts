import { EventEmitter } from 'node:events';
import type { Take } from '../contract/index.ts';

/** What parts of the appliance report to each other. The composition root connects senders and listeners. */
export interface ApplianceEvents {
  /** Something that the status shows has changed. */
  change: [];
  /** Settings, role, hardware or an address changed: what runs has to follow. */
  apply: [];
  /** Hub, key or address changed: only the destination of the feeds has to follow. */
  pushes: [];
  /** A take began, changed or ended. */
  take: [Take];
  /** A take was deleted everywhere. */
  'take-gone': [id: string];
  /** The tally state was set. */
  tally: [];
  /** A rollout of an update over cameras made progress. */
  rollout: [];
  /** A camera no longer belongs to this hub. */
  unadopted: [cameraId: string];
}

/** The bus; see {@link ApplianceEvents}. */
export type ApplianceBus = EventEmitter<ApplianceEvents>;

/** Makes the bus. */
export function applianceBus(): ApplianceBus {
  return new EventEmitter<ApplianceEvents>();
}
