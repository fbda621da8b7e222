import { z } from 'zod';
import { controlsPatchSchema, deviceLabelSchema, deviceSchema, unpluggedDeviceSchema } from '../devices.ts';
import type { RouteDefinition } from '../route.ts';

const deviceParams = z.object({ id: z.string().min(1).max(256) });

/** The cameras plugged into this machine. */
export const devicesRoutes = {
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
} as const satisfies Record<string, RouteDefinition>;
