/** Recording across cameras: the conductor of all takes, and what the root makes it from. */

export { assembleRecording } from './recording.ts';
export { TakeConductor } from './take-conductor.ts';
export { requireMasterHere, requireOwnMasters } from './take-state.ts';
