import { z } from 'zod';
import { adjustableSchema } from './adjustables.ts';
import { hubCodeSchema, newCameraSchema } from './adoption.ts';
import { instantSchema, roleSchema, slugSchema, sourceKindSchema } from './common.ts';
import { feedSchema } from './feeds.ts';
import { mqttLinkSchema } from './mqtt.ts';
import { outputSchema } from './outputs.ts';
import { cameraUpdateSchema, rolloutSchema } from './rollout.ts';
import { tallySchema } from './system.ts';
import { takeRefusalSchema, takeSchema } from './takes.ts';
import { updateSchema } from './update.ts';

/** One problem of the settings file: line, key, and what was expected. */
export const configErrorSchema = z.object({
  line: z.int().min(1),
  key: z.string().describe('Key path, such as source[0].fps; empty if the file cannot be read as TOML'),
  message: z.string(),
  expected: z.string().nullable(),
  nearest: z.string().nullable().describe('The nearest known key'),
});

/** What works and what does not, each with its reason. */
export const healthSchema = z
  .object({
    state: z.enum(['ok', 'degraded', 'failed']),
    components: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['ok', 'degraded', 'failed']),
        reason: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'Health' });

/** The machine's figures: CPU, memory, temperature, disks, network. Units are in the names. */
export const hostSchema = z.object({
  bootedAt: instantSchema.nullable().describe('When the kernel started, if the clock was right at that time'),
  cpuLoadPercent: z.number(),
  temperatureC: z.number().nullable(),
  memoryUsedBytes: z.number(),
  memoryTotalBytes: z.number(),
  power: z
    .object({
      underVoltageNow: z.boolean(),
      throttledNow: z.boolean(),
      underVoltageSinceBoot: z.boolean(),
      throttledSinceBoot: z.boolean(),
    })
    .nullable()
    .describe('Null if the board has no firmware to ask'),
  disks: z.array(
    z.object({
      mount: z.string(),
      label: z.string(),
      totalBytes: z.number(),
      freeBytes: z.number(),
      wearPercent: z.number().nullable(),
      silentS: z
        .number()
        .optional()
        .describe(
          'Seconds for which the disk has not answered; its figures are from before. Absent: it answers',
        ),
    }),
  ),
  network: z.array(
    z.object({
      name: z.string(),
      addresses: z.array(z.string()),
      rxKbps: z.number(),
      txKbps: z.number(),
      wifiSignalDbm: z.number().nullable(),
    }),
  ),
  clock: z.object({ synced: z.boolean().nullable(), offsetMs: z.number().nullable() }),
});

/** A local source: its state, its rate, and its problem. */
export const sourceStatusSchema = z.object({
  id: slugSchema,
  kind: sourceKindSchema,
  label: z.string(),
  state: z.enum(['starting', 'running', 'stalled', 'waiting', 'stopped']),
  reason: z.string().nullable(),
  restarts: z.int(),
  encoder: z.object({ name: z.string(), reason: z.string() }).nullable(),
  droppedFrames: z.int().nullable().describe('Frames lost before or in the encoder since it started'),
});

/** A camera as its hub sees it, through the link the camera holds open. */
export const linkedCameraSchema = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  address: z.string(),
  online: z.boolean(),
  lastSeenAt: instantSchema,
  sources: z.array(sourceStatusSchema),
  recording: z.enum(['idle', 'starting', 'recording', 'finishing', 'failed']),
  remainingS: z.number().nullable(),
  clockOffsetMs: z
    .number()
    .nullable()
    .describe('How far its clock is ahead of the hub’s, as measured over the link'),
  clockUncertaintyMs: z.number().nullable().describe('Maximum error of clockOffsetMs'),
  update: cameraUpdateSchema.nullable().describe('Null if its release does not report it'),
});

/** The hub as a camera sees it. */
export const hubLinkSchema = z.object({
  state: z.enum(['searching', 'connecting', 'connected', 'refused']),
  id: z.string().nullable().describe('Device id of the hub; null until the hub sends it'),
  name: z.string().nullable(),
  url: z.string().nullable(),
  reason: z.string().nullable(),
});

/** The one snapshot of `GET /api/status`, which the pages, MQTT, Prometheus and the command line show. */
export const statusSchema = z
  .object({
    device: z.object({
      id: z.string(),
      name: z.string(),
      model: z.string(),
      serial: z.string().nullable(),
      version: z.string(),
      role: roleSchema,
      roleSetting: z.enum(['auto', 'hub', 'camera']).describe('As set; auto: the jumper decides'),
      roleReason: z.string(),
      simulation: z.boolean(),
      startedAt: instantSchema,
      uptimeS: z.number(),
    }),
    health: healthSchema,
    host: hostSchema,
    config: z.object({ file: z.string(), errors: z.array(configErrorSchema) }),
    sources: z.array(sourceStatusSchema),
    feeds: z.array(feedSchema),
    outputs: z.array(outputSchema).describe('Feeds that are sent on to other servers'),
    adjustables: z
      .array(adjustableSchema)
      .describe('Settings of the sources of this machine that may be changed while they run'),
    cameras: z.array(linkedCameraSchema),
    newCameras: z.array(newCameraSchema).describe('Cameras that ask to be adopted'),
    adoption: hubCodeSchema
      .extend({
        others: z
          .array(hubCodeSchema)
          .optional()
          .describe('Other hubs that were found; the owner knows which one is theirs'),
      })
      .nullable()
      .describe('On a camera that asks to be adopted: the code to compare'),
    hub: hubLinkSchema.nullable(),
    recording: z.object({
      state: z.enum(['idle', 'starting', 'recording', 'finishing', 'failed']),
      take: takeSchema.nullable().describe('The running take, or the last one'),
      remainingS: z.number().nullable().describe('How long the disk lasts at the current rate'),
      refusal: takeRefusalSchema.nullable().describe('Why the last start was refused; null if it was not'),
    }),
    masters: z
      .object({
        folder: z.string().describe('Where the next take is stored'),
        reason: z.string().describe('Why there: the settings, the SSD, or why the SSD cannot be used'),
      })
      .describe('The disk of the masters'),
    tally: tallySchema.shape.state,
    update: updateSchema,
    mqtt: mqttLinkSchema.nullable().describe('Null if the settings name no broker'),
    rollout: rolloutSchema.nullable().describe('Null on a camera'),
  })
  .meta({ id: 'Status' });

/** See {@link statusSchema}. */
export type Status = z.infer<typeof statusSchema>;
/** See {@link hostSchema}. */
export type HostStatus = z.infer<typeof hostSchema>;
/** See {@link sourceStatusSchema}. */
export type SourceStatus = z.infer<typeof sourceStatusSchema>;
/** See {@link linkedCameraSchema}. */
export type LinkedCamera = z.infer<typeof linkedCameraSchema>;
/** See {@link hubLinkSchema}. */
export type HubLink = z.infer<typeof hubLinkSchema>;
/** See {@link configErrorSchema}. */
export type ConfigErrorEntry = z.infer<typeof configErrorSchema>;
