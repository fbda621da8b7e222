/** What only a camera has, for the root and its reconciler. */

export { CameraRole } from './camera-role.ts';
export { handleHubCommand, reportTake, reportTakes } from './hub-commands.ts';
