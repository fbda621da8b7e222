/**
 * The contract of the HTTP API: every route with the roles that may call it and the schemas of what goes in and out.
 * The server, the OpenAPI document, the CLI, the pages and the test rig all read it from here.
 */
import { accessRoutes } from './contract/routes/access.ts';
import { camerasRoutes } from './contract/routes/cameras.ts';
import { devicesRoutes } from './contract/routes/devices.ts';
import { feedsRoutes } from './contract/routes/feeds.ts';
import { machineRoutes } from './contract/routes/machine.ts';
import { mqttRoutes } from './contract/routes/mqtt.ts';
import { signalingRoutes } from './contract/routes/signaling.ts';
import { takesRoutes } from './contract/routes/takes.ts';
import { updatesRoutes } from './contract/routes/updates.ts';

export * from './contract/adoption.ts';
export * from './contract/agent.ts';
export * from './contract/common.ts';
export * from './contract/config.ts';
export * from './contract/devices.ts';
export * from './contract/events.ts';
export * from './contract/feeds.ts';
export * from './contract/keys.ts';
export * from './contract/mqtt.ts';
export * from './contract/pictures.ts';
export * from './contract/problem.ts';
export * from './contract/rollout.ts';
export * from './contract/route.ts';
export * from './contract/status.ts';
export * from './contract/system.ts';
export * from './contract/takes.ts';
export * from './contract/update.ts';

export const routes = {
  ...signalingRoutes,
  ...feedsRoutes,
  ...devicesRoutes,
  ...takesRoutes,
  ...updatesRoutes,
  ...camerasRoutes,
  ...accessRoutes,
  ...machineRoutes,
  ...mqttRoutes,
} as const;

export type Routes = typeof routes;
export type RouteId = keyof Routes;
