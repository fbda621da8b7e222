/** Updates of this machine and rollouts over cameras, for the root. */

export { reportedUpdate } from './fleet-members.ts';
export { HubUpdates } from './hub-updates.ts';
export { assembleRollouts, assembleUpdates, conductsCameras } from './updates.ts';
