import {
  healthSchema,
  hubLinkSchema,
  roleSchema,
  rolloutSchema,
  sourceStatusSchema,
  statusSchema,
  tallySchema,
  updateSchema,
} from '../contract/index.ts';

/** What each state of the status can be, as the contract lists it: a series each for Prometheus, options for Home Assistant. */
export const statesOf = {
  health: healthSchema.shape.state.options,
  hubLink: hubLinkSchema.shape.state.options,
  role: roleSchema.options,
  roleSetting: statusSchema.shape.device.shape.roleSetting.options,
  rollout: rolloutSchema.shape.phase.options,
  source: sourceStatusSchema.shape.state.options,
  take: statusSchema.shape.recording.shape.state.options,
  tally: tallySchema.shape.state.options,
  update: updateSchema.shape.state.options,
  updateOutcome: updateSchema.shape.lastAttempt.unwrap().shape.outcome.options,
} as const;
