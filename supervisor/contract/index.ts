/**
 * The contract of the HTTP API: every route with the roles that may call it and the schemas of its request and answer. The
 * server, the OpenAPI document, the CLI, the pages and the test rig all read it from here.
 */
import { accessRoutes } from './routes/access.ts';
import { camerasRoutes } from './routes/cameras.ts';
import { devicesRoutes } from './routes/devices.ts';
import { feedsRoutes } from './routes/feeds.ts';
import { layersRoutes } from './routes/layers.ts';
import { machineRoutes } from './routes/machine.ts';
import { mqttRoutes } from './routes/mqtt.ts';
import { signalingRoutes } from './routes/signaling.ts';
import { takesRoutes } from './routes/takes.ts';
import { updatesRoutes } from './routes/updates.ts';

export * from './adjustables.ts';
export * from './adoption.ts';
export * from './agent.ts';
export * from './common.ts';
export * from './config.ts';
export * from './devices.ts';
export * from './events.ts';
export * from './feeds.ts';
export * from './keys.ts';
export * from './linked-cameras.ts';
export * from './mqtt.ts';
export * from './offline-feed.ts';
export * from './outputs.ts';
export * from './pictures.ts';
export * from './problem.ts';
export * from './rollout.ts';
export * from './route.ts';
export { type LayerChoice, type LayerWish, viewingEvents } from './routes/layers.ts';
export * from './status.ts';
export * from './system.ts';
export * from './takes.ts';
export * from './update.ts';

/** Every route of the API by its id. */
export const routes = {
  ...signalingRoutes,
  ...layersRoutes,
  ...feedsRoutes,
  ...devicesRoutes,
  ...takesRoutes,
  ...updatesRoutes,
  ...camerasRoutes,
  ...accessRoutes,
  ...machineRoutes,
  ...mqttRoutes,
} as const;

/** See {@link routes}. */
export type Routes = typeof routes;
/** Id of a route, as the server binds its handler to it. */
export type RouteId = keyof Routes;
