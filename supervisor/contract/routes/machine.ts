import { z } from 'zod';
import { configPatchSchema, configViewSchema } from '../config.ts';
import type { RouteDefinition } from '../route.ts';
import { statusSchema } from '../status.ts';
import { systemActionSchema, tallySchema } from '../system.ts';

/** The machine itself: its status, its settings, and its commands. */
export const machineRoutes = {
  events: {
    method: 'GET',
    path: '/api/events',
    access: ['viewer'],
    summary: 'Changes as server-sent events',
    status: 200,
    response: { contentType: 'text/event-stream', description: 'Events (see the Event schema)' },
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
    summary: 'The config in force. ETag names it',
    status: 200,
    response: configViewSchema,
  },
  patchConfig: {
    method: 'PATCH',
    path: '/api/config',
    access: ['owner'],
    summary:
      'Change the config (JSON merge patch). With If-Match it happens only if the config is still the one of that ETag; otherwise 412',
    body: configPatchSchema,
    status: 200,
    response: configViewSchema,
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
  factoryReset: {
    method: 'POST',
    path: '/api/system/factory-reset',
    access: ['owner'],
    summary:
      'Forget all settings made here and everything learnt, delete the takes on the data partition, and restart',
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
    summary: '200 if ready, otherwise 503',
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
