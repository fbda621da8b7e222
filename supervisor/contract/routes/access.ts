import { z } from 'zod';
import { keyCreateSchema, keySchema, newKeySchema } from '../keys.ts';
import type { RouteDefinition } from '../route.ts';

/** Sessions of browsers, and keys. */
export const accessRoutes = {
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
} as const satisfies Record<string, RouteDefinition>;
