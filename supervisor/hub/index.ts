/** What only a hub has, for the root, its API and rollouts. */

export { AdoptionError } from './adoption-desk.ts';
export { CameraOrders } from './camera-orders.ts';
export { HubRole } from './hub-role.ts';
