import { z } from 'zod';
import { slugSchema } from '../common.ts';
import type { RouteDefinition } from '../route.ts';
import { takeSchema, takeStartSchema } from '../takes.ts';

const takeParams = z.object({ id: slugSchema });

/** Recording. */
export const takesRoutes = {
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
  deleteTake: {
    method: 'DELETE',
    path: '/api/takes/:id',
    access: ['owner'],
    summary: 'Delete a take’s masters of this appliance for good',
    params: takeParams,
    status: 204,
  },
  verifyTake: {
    method: 'POST',
    path: '/api/takes/:id/verify',
    access: ['operator'],
    summary: 'Read a take’s masters of this appliance again and check them, once nothing is recorded',
    params: takeParams,
    status: 202,
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
} as const satisfies Record<string, RouteDefinition>;
