import { z } from 'zod';
import { adoptSchema, newCameraSchema } from '../adoption.ts';
import type { RouteDefinition } from '../route.ts';
import { cameraParams } from './params.ts';

/** Adoption, and the link between a camera and its hub. */
export const camerasRoutes = {
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
    summary: 'Adopt a camera after comparing its code: it gets its own key',
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
    summary: 'On a camera: forget the hub that adopted it, and ask to be adopted again',
    status: 204,
  },
  confirmHub: {
    method: 'POST',
    path: '/api/hub/confirm',
    access: ['owner'],
    summary: 'On a camera that asks several hubs, or forgot its own: the hub of this code may adopt it',
    body: adoptSchema,
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
} as const satisfies Record<string, RouteDefinition>;
