/**
 * The contract of the HTTP API: every route with the roles that may call it and the schemas of what goes in and out.
 * The server, the OpenAPI document, the CLI, the pages and the test rig all read it from here.
 */
import { z } from 'zod';
import { adoptSchema, newCameraSchema } from './contract/adoption.ts';
import { slugSchema } from './contract/common.ts';
import { configPatchSchema, configViewSchema } from './contract/config.ts';
import {
  controlsPatchSchema,
  deviceLabelSchema,
  deviceSchema,
  unpluggedDeviceSchema,
} from './contract/devices.ts';
import { feedSchema } from './contract/feeds.ts';
import { keyCreateSchema, keySchema, newKeySchema } from './contract/keys.ts';
import { feedLinkQuerySchema } from './contract/pictures.ts';
import { canarySchema, rolloutSchema, rolloutStartSchema } from './contract/rollout.ts';
import type { RouteDefinition } from './contract/route.ts';
import { statusSchema } from './contract/status.ts';
import { systemActionSchema, tallySchema } from './contract/system.ts';
import { takeSchema, takeStartSchema } from './contract/takes.ts';
import { updateInstallSchema, updateSchema } from './contract/update.ts';

export * from './contract/adoption.ts';
export * from './contract/agent.ts';
export * from './contract/common.ts';
export * from './contract/config.ts';
export * from './contract/devices.ts';
export * from './contract/events.ts';
export * from './contract/feeds.ts';
export * from './contract/keys.ts';
export * from './contract/pictures.ts';
export * from './contract/problem.ts';
export * from './contract/rollout.ts';
export * from './contract/route.ts';
export * from './contract/status.ts';
export * from './contract/system.ts';
export * from './contract/takes.ts';
export * from './contract/update.ts';

const sdp = { contentType: 'application/sdp', maxBytes: 256 * 1024, description: 'Session description' };
const sdpFragment = {
  contentType: 'application/trickle-ice-sdpfrag',
  maxBytes: 64 * 1024,
  description: 'ICE candidates or restart (RFC 8840)',
};
const feedParams = z.object({ feed: slugSchema });
const sessionParams = z.object({ feed: slugSchema, session: z.string().min(8).max(64) });
const cameraParams = z.object({ id: z.string().min(1).max(64) });
const deviceParams = z.object({ id: z.string().min(1).max(256) });
const takeParams = z.object({ id: slugSchema });

export const routes = {
  whipEndpoint: {
    method: 'GET',
    path: '/whip/:feed',
    access: ['camera', 'operator'],
    summary: 'WHIP endpoint exists',
    params: feedParams,
    status: 204,
  },
  whipOptions: {
    method: 'OPTIONS',
    path: '/whip/:feed',
    access: ['public'],
    summary: 'What the WHIP endpoint accepts',
    params: feedParams,
    status: 200,
  },
  whipPublish: {
    method: 'POST',
    path: '/whip/:feed',
    access: ['camera', 'operator'],
    summary: 'Publish a feed (RFC 9725)',
    params: feedParams,
    body: sdp,
    status: 201,
    response: sdp,
  },
  whipSession: {
    method: 'GET',
    path: '/whip/:feed/:session',
    access: ['camera', 'operator'],
    summary: 'WHIP session exists',
    params: sessionParams,
    status: 204,
  },
  whipPatch: {
    method: 'PATCH',
    path: '/whip/:feed/:session',
    access: ['camera', 'operator'],
    summary: 'Trickle ICE or ICE restart',
    params: sessionParams,
    body: sdpFragment,
    status: 204,
  },
  whipDelete: {
    method: 'DELETE',
    path: '/whip/:feed/:session',
    access: ['camera', 'operator'],
    summary: 'End publishing',
    params: sessionParams,
    status: 200,
  },
  whepEndpoint: {
    method: 'GET',
    path: '/whep/:feed',
    access: ['viewer', 'camera'],
    summary: 'WHEP endpoint exists',
    params: feedParams,
    status: 204,
  },
  whepOptions: {
    method: 'OPTIONS',
    path: '/whep/:feed',
    access: ['public'],
    summary: 'What the WHEP endpoint accepts',
    params: feedParams,
    status: 200,
  },
  whepView: {
    method: 'POST',
    path: '/whep/:feed',
    access: ['viewer', 'camera'],
    summary: 'View a feed (WHEP)',
    params: feedParams,
    body: sdp,
    status: 201,
    response: sdp,
  },
  whepSession: {
    method: 'GET',
    path: '/whep/:feed/:session',
    access: ['viewer', 'camera'],
    summary: 'WHEP session exists',
    params: sessionParams,
    status: 204,
  },
  whepPatch: {
    method: 'PATCH',
    path: '/whep/:feed/:session',
    access: ['viewer', 'camera'],
    summary: 'Trickle ICE or ICE restart',
    params: sessionParams,
    body: sdpFragment,
    status: 204,
  },
  whepDelete: {
    method: 'DELETE',
    path: '/whep/:feed/:session',
    access: ['viewer', 'camera'],
    summary: 'End viewing',
    params: sessionParams,
    status: 200,
  },

  openSession: {
    method: 'POST',
    path: '/api/session',
    access: ['viewer'],
    summary:
      'Trade the bearer token for a cookie (HttpOnly, SameSite=Strict), so that browsers can stream and download',
    status: 204,
  },
  closeSession: {
    method: 'DELETE',
    path: '/api/session',
    access: ['public'],
    summary: 'Drop the cookie',
    status: 204,
  },

  listFeeds: {
    method: 'GET',
    path: '/api/feeds',
    access: ['viewer'],
    summary: 'All feeds',
    status: 200,
    response: z.array(feedSchema),
  },
  getFeed: {
    method: 'GET',
    path: '/api/feeds/:feed',
    access: ['viewer'],
    summary: 'One feed',
    params: feedParams,
    status: 200,
    response: feedSchema,
  },
  streamPictures: {
    method: 'GET',
    path: '/stream/:feed.mjpg',
    access: ['viewer', 'camera'],
    summary: 'A feed as motion JPEG (multipart/x-mixed-replace); 503 where no picture comes within 5 s',
    params: feedParams,
    status: 200,
    response: { contentType: 'multipart/x-mixed-replace', description: 'JPEG pictures, the newest each' },
  },
  getPicture: {
    method: 'GET',
    path: '/stream/:feed.jpg',
    access: ['viewer', 'camera'],
    summary: 'The newest picture of a feed; 503 where none comes within 5 s',
    params: feedParams,
    status: 200,
    response: { contentType: 'image/jpeg', description: 'The picture' },
  },
  feedLink: {
    method: 'GET',
    path: '/ws/feeds/:feed',
    access: ['viewer', 'camera', 'operator'],
    summary:
      'JPEG pictures, one binary message each: of the feed out; with ?publish in, which takes a camera’s or operator’s key',
    params: feedParams,
    query: feedLinkQuerySchema,
    status: 101,
    websocket: true,
  },
  listDevices: {
    method: 'GET',
    path: '/api/devices',
    access: ['viewer'],
    summary: 'Cameras plugged into this machine',
    status: 200,
    response: z.array(deviceSchema),
  },
  setControls: {
    method: 'PUT',
    path: '/api/devices/:id/controls',
    access: ['operator'],
    summary: 'Set controls of a camera',
    params: deviceParams,
    body: controlsPatchSchema,
    status: 200,
    response: deviceSchema,
  },
  useDevice: {
    method: 'PUT',
    path: '/api/devices/:id/use',
    access: ['operator'],
    summary: 'Make a feed of a camera that no setting names, or leave it alone',
    params: deviceParams,
    body: z.strictObject({ use: z.boolean() }),
    status: 200,
    response: deviceSchema,
  },
  forgetDevice: {
    method: 'DELETE',
    path: '/api/devices/:id/use',
    access: ['operator'],
    summary: 'Forget a person’s word on a camera and the name it got; plugged in again, it is a new one',
    params: deviceParams,
    status: 204,
  },
  labelDevice: {
    method: 'PUT',
    path: '/api/devices/:id/label',
    access: ['operator'],
    summary: 'Name a camera that no setting names; its feed keeps its id',
    params: deviceParams,
    body: deviceLabelSchema,
    status: 200,
    response: deviceSchema,
  },
  listUnplugged: {
    method: 'GET',
    path: '/api/unplugged-devices',
    access: ['viewer'],
    summary: 'Cameras that were used and are not plugged in now',
    status: 200,
    response: z.array(unpluggedDeviceSchema),
  },
  events: {
    method: 'GET',
    path: '/api/events',
    access: ['viewer'],
    summary: 'Changes as server-sent events',
    status: 200,
    response: { contentType: 'text/event-stream', description: 'Events (see the Event schema)' },
  },

  startTake: {
    method: 'POST',
    path: '/api/takes',
    access: ['operator'],
    summary: 'Record all cameras, or some',
    body: takeStartSchema,
    status: 201,
    response: takeSchema,
  },
  stopTake: {
    method: 'POST',
    path: '/api/takes/:id/stop',
    access: ['operator'],
    summary: 'Stop a take',
    params: takeParams,
    status: 200,
    response: takeSchema,
  },
  listTakes: {
    method: 'GET',
    path: '/api/takes',
    access: ['viewer'],
    summary: 'All takes, newest first',
    status: 200,
    response: z.array(takeSchema),
  },
  getTake: {
    method: 'GET',
    path: '/api/takes/:id',
    access: ['viewer'],
    summary: 'One take',
    params: takeParams,
    status: 200,
    response: takeSchema,
  },
  getMaster: {
    method: 'GET',
    path: '/api/takes/:id/masters/:camera',
    access: ['operator'],
    summary: 'Download a master (Range)',
    params: z.object({ id: slugSchema, camera: slugSchema }),
    query: z.object({ segment: z.coerce.number().int().min(1).default(1) }),
    status: 200,
    response: { contentType: 'video/x-matroska', description: 'The file' },
  },

  getStatus: {
    method: 'GET',
    path: '/api/status',
    access: ['viewer'],
    summary: 'Everything the pages show',
    status: 200,
    response: statusSchema,
  },
  getConfig: {
    method: 'GET',
    path: '/api/config',
    access: ['owner'],
    summary: 'The config in force',
    status: 200,
    response: configViewSchema,
  },
  patchConfig: {
    method: 'PATCH',
    path: '/api/config',
    access: ['owner'],
    summary: 'Change the config (JSON merge patch)',
    body: configPatchSchema,
    status: 200,
    response: configViewSchema,
  },
  getUpdate: {
    method: 'GET',
    path: '/api/update',
    access: ['viewer'],
    summary: 'State of updates',
    status: 200,
    response: updateSchema,
  },
  checkUpdate: {
    method: 'POST',
    path: '/api/update/check',
    access: ['owner'],
    summary: 'Look for an update now, in the channel and on media',
    status: 200,
    response: updateSchema,
  },
  installUpdate: {
    method: 'POST',
    path: '/api/update/install',
    access: ['owner'],
    summary: 'Install an update',
    body: updateInstallSchema,
    status: 202,
    response: updateSchema,
  },
  rollbackUpdate: {
    method: 'POST',
    path: '/api/update/rollback',
    access: ['owner'],
    summary: 'Return to the other slot',
    status: 202,
    response: updateSchema,
  },

  getRollout: {
    method: 'GET',
    path: '/api/rollout',
    access: ['viewer'],
    summary: 'How the hub updates its cameras',
    status: 200,
    response: rolloutSchema,
  },
  startRollout: {
    method: 'POST',
    path: '/api/rollout',
    access: ['owner'],
    summary: 'Update the cameras one at a time, a canary first, and the hub at the end',
    body: rolloutStartSchema,
    status: 202,
    response: rolloutSchema,
  },
  pauseRollout: {
    method: 'POST',
    path: '/api/rollout/pause',
    access: ['owner'],
    summary: 'Begin with no further camera; the one under way goes on',
    status: 200,
    response: rolloutSchema,
  },
  resumeRollout: {
    method: 'POST',
    path: '/api/rollout/resume',
    access: ['owner'],
    summary: 'Go on after a pause or a halt; what failed is tried again',
    status: 200,
    response: rolloutSchema,
  },
  cancelRollout: {
    method: 'POST',
    path: '/api/rollout/cancel',
    access: ['owner'],
    summary: 'End the rollout; a camera that still downloads or installs gives up',
    status: 200,
    response: rolloutSchema,
  },
  chooseCanary: {
    method: 'PUT',
    path: '/api/rollout/canary',
    access: ['owner'],
    summary: 'Let another camera go first, before the first one is touched',
    body: canarySchema,
    status: 200,
    response: rolloutSchema,
  },
  updateCamera: {
    method: 'POST',
    path: '/api/rollout/cameras/:id/install',
    access: ['owner'],
    summary: 'Update one camera, or the hub by its id: within the rollout under way, else by itself',
    params: cameraParams,
    status: 202,
    response: rolloutSchema,
  },
  rollbackCamera: {
    method: 'POST',
    path: '/api/rollout/cameras/:id/rollback',
    access: ['owner'],
    summary: 'Let a camera return to its other slot',
    params: cameraParams,
    status: 202,
    response: rolloutSchema,
  },
  getBundle: {
    method: 'GET',
    path: '/api/rollout/bundles/:sha256',
    access: ['camera'],
    summary: 'The bundle of the rollout, for the cameras of this hub (Range)',
    params: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
    status: 200,
    response: { contentType: 'application/octet-stream', description: 'A RAUC bundle' },
  },

  identify: {
    method: 'POST',
    path: '/api/system/identify',
    access: ['operator'],
    summary: 'Blink the lights of this appliance for ten seconds',
    status: 204,
  },
  restart: {
    method: 'POST',
    path: '/api/system/restart',
    access: ['owner'],
    summary: 'Restart the appliance',
    body: systemActionSchema,
    status: 202,
  },
  shutdown: {
    method: 'POST',
    path: '/api/system/shutdown',
    access: ['owner'],
    summary: 'Shut the appliance down',
    body: systemActionSchema,
    status: 202,
  },
  setTally: {
    method: 'PUT',
    path: '/api/tally',
    access: ['operator'],
    summary: 'Set the tally light',
    body: tallySchema,
    status: 200,
    response: tallySchema,
  },

  getLogs: {
    method: 'GET',
    path: '/api/logs',
    access: ['owner'],
    summary: 'The latest lines of the log, oldest first, one JSON object a line',
    query: z.object({ lines: z.coerce.number().int().min(1).max(2000).default(200) }),
    status: 200,
    response: { contentType: 'application/x-ndjson', description: 'pino records' },
  },
  listKeys: {
    method: 'GET',
    path: '/api/keys',
    access: ['owner'],
    summary: 'Keys that open this appliance',
    status: 200,
    response: z.array(keySchema),
  },
  createKey: {
    method: 'POST',
    path: '/api/keys',
    access: ['owner'],
    summary: 'Make a key',
    body: keyCreateSchema,
    status: 201,
    response: newKeySchema,
  },
  revokeKey: {
    method: 'DELETE',
    path: '/api/keys/:id',
    access: ['owner'],
    summary: 'Revoke a key',
    params: z.object({ id: z.string().min(1).max(64) }),
    status: 204,
  },

  listNewCameras: {
    method: 'GET',
    path: '/api/cameras/new',
    access: ['owner'],
    summary: 'Cameras that ask to be adopted',
    status: 200,
    response: z.array(newCameraSchema),
  },
  adoptCamera: {
    method: 'POST',
    path: '/api/cameras/:id/adopt',
    access: ['owner'],
    summary: 'Adopt a camera whose code has been compared: it gets a key of its own',
    params: cameraParams,
    body: adoptSchema,
    status: 201,
    response: newCameraSchema,
  },
  unadoptCamera: {
    method: 'DELETE',
    path: '/api/cameras/:id/adoption',
    access: ['owner'],
    summary: 'Revoke the keys of a camera and end its link',
    params: cameraParams,
    status: 204,
  },
  forgetHub: {
    method: 'DELETE',
    path: '/api/hub',
    access: ['owner'],
    summary: 'On a camera: forget the hub that adopted it, and ask anew',
    status: 204,
  },

  adoptLink: {
    method: 'GET',
    path: '/ws/adopt',
    access: ['public'],
    summary: 'A camera without a key asks to be adopted',
    status: 101,
    websocket: true,
  },
  agentLink: {
    method: 'GET',
    path: '/ws/agent',
    access: ['camera'],
    summary: 'Link of a camera to its hub',
    status: 101,
    websocket: true,
  },

  healthz: {
    method: 'GET',
    path: '/healthz',
    access: ['public'],
    summary: 'Alive',
    status: 200,
    response: z.object({ alive: z.literal(true) }),
  },
  readyz: {
    method: 'GET',
    path: '/readyz',
    access: ['public'],
    summary: 'Ready: 200, else 503',
    status: 200,
    response: z.object({ ready: z.boolean(), reasons: z.array(z.string()) }),
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    access: ['viewer'],
    summary: 'Prometheus metrics',
    status: 200,
    response: { contentType: 'text/plain; version=0.0.4', description: 'Prometheus text format' },
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    access: ['public'],
    summary: 'This contract as OpenAPI 3.1',
    status: 200,
    response: z.record(z.string(), z.unknown()),
  },
} as const satisfies Record<string, RouteDefinition>;

export type Routes = typeof routes;
export type RouteId = keyof Routes;
