import { EventEmitter } from 'node:events';
import type { Take } from '../contract/index.ts';

/** What parts of the appliance tell each other. The composition root connects who tells with who listens. */
export interface ApplianceEvents {
  /** Something that the status shows changed. */
  change: [];
  /** Settings, role, hardware or an address changed: what runs has to be brought to what is asked for. */
  apply: [];
  /** Hub, key or address changed: only where the feeds go has to be set. */
  pushes: [];
  /** A take began, changed or ended. */
  take: [Take];
  /** Nothing of a take is left anywhere. */
  'take-gone': [id: string];
  /** The tally state was set. */
  tally: [];
  /** The rollout of an update over cameras went on. */
  rollout: [];
  /** A camera no longer belongs to this hub. */
  unadopted: [cameraId: string];
}

export type ApplianceBus = EventEmitter<ApplianceEvents>;

export function applianceBus(): ApplianceBus {
  return new EventEmitter<ApplianceEvents>();
}
