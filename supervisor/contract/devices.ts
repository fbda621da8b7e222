import { z } from 'zod';
import { slugSchema } from './common.ts';

/** One control of a camera (exposure, focus, gain …) with its range and its present value. */
export const controlSchema = z.object({
  id: z.string().describe('The driver’s name for it, such as exposure_time_absolute'),
  label: z.string(),
  kind: z.enum(['integer', 'boolean', 'menu', 'button', 'string', 'float']),
  min: z.number().nullable(),
  max: z.number().nullable(),
  step: z.number().nullable(),
  default: z.union([z.number(), z.boolean(), z.string()]).nullable(),
  value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
  menu: z.array(z.object({ value: z.int(), label: z.string() })),
  inactive: z.boolean().describe('The driver refuses it in the current mode'),
});

/** A pixel format of a camera with its sizes in pixels and rates in frames per second. */
export const formatSchema = z.object({
  fourcc: z.string().describe('Four characters, such as MJPG'),
  description: z.string(),
  compressed: z.boolean(),
  sizes: z.array(z.object({ width: z.int(), height: z.int(), fps: z.array(z.number()) })),
});

/** A local camera (V4L2 or libcamera) that is plugged in. */
export const deviceSchema = z
  .object({
    id: z.string().describe('Stable across replugging and reboots'),
    name: z.string(),
    kind: z.enum(['v4l2', 'libcamera']),
    driver: z.string(),
    bus: z.string(),
    path: z.string().nullable().describe('Current device node, such as /dev/video0'),
    byId: z.string().nullable(),
    byPath: z.string().nullable(),
    serial: z.string().nullable(),
    formats: z.array(formatSchema),
    controls: z.array(controlSchema),
    busy: z.boolean(),
    note: z.string().nullable().describe('What the device still needs, such as libcamera, in one sentence'),
    source: z.string().nullable().describe('The source that uses it'),
    label: z.string().describe('Its name for people: the one they gave it, or its own'),
    use: z
      .enum(['settings', 'used', 'offered', 'unused'])
      .describe(
        'settings: a [[source]] names it; used: it is a feed by itself; offered: it waits for a person’s decision; unused: left alone',
      ),
  })
  .meta({ id: 'Device' });

/** A camera that was used before and is not plugged in now. */
export const unpluggedDeviceSchema = z
  .object({
    id: z.string(),
    label: z.string(),
    feed: slugSchema.describe('The feed that resumes when it is back; its name is reserved'),
  })
  .meta({ id: 'UnpluggedDevice' });

/** Body of `PUT /api/devices/:id/label`. */
export const deviceLabelSchema = z.strictObject({ label: z.string().trim().min(1).max(64) });

/** Body of `PUT /api/devices/:id/controls`: values by the control's name. */
export const controlsPatchSchema = z
  .record(z.string(), z.union([z.number(), z.boolean(), z.string()]))
  .refine((values) => Object.keys(values).length > 0, 'at least one control');

/** See {@link deviceSchema}. */
export type Device = z.infer<typeof deviceSchema>;
/** See {@link controlSchema}. */
export type DeviceControl = z.infer<typeof controlSchema>;
/** See {@link unpluggedDeviceSchema}. */
export type UnpluggedDevice = z.infer<typeof unpluggedDeviceSchema>;
/** See {@link formatSchema}. */
export type DeviceFormat = z.infer<typeof formatSchema>;
