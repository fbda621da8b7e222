/** From settings and facts to what should run. */

export type { DesiredPipeline } from './assign-cameras.ts';
export { decideRole, type RoleDecision } from './decide-role.ts';
export { type DesiredState, desiredState } from './desired-state.ts';
export type { CameraFact, JumperReading, Role } from './facts.ts';
