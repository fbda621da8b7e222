import { z } from 'zod';
import { instantSchema, slugSchema } from './common.ts';

/** The state of a take, or of one camera's part of it. */
export const takeStateSchema = z.enum(['starting', 'recording', 'finishing', 'verified', 'failed']);

/** One camera's part of a take. */
export const takeCameraSchema = z.object({
  camera: slugSchema,
  device: z.string().nullable().describe('The appliance that keeps the master; null: this one'),
  deviceId: z
    .string()
    .optional()
    .describe('The device id of that appliance, which does not change with its name'),
  state: takeStateSchema,
  reason: z.string().nullable().describe('Why it failed, or what it waits for'),
  frames: z.int(),
  droppedFrames: z.int(),
  sizeBytes: z.int(),
  segments: z.int(),
  verified: z.boolean(),
  finishing: z
    .object({
      done: z.number().min(0).max(1),
      remainingS: z.number().nullable().describe('Null until it can be estimated'),
    })
    .optional()
    .describe('Progress of compressing and verifying; absent if nothing is being finished'),
  checking: z
    .object({ done: z.int(), of: z.int() })
    .optional()
    .describe('Its masters are being verified again: how many of them are done'),
});

/** A recording across cameras, as `GET /api/takes` shows it. */
export const takeSchema = z
  .object({
    id: slugSchema,
    startedAt: instantSchema,
    stoppedAt: instantSchema.nullable(),
    state: takeStateSchema,
    cameras: z.array(takeCameraSchema),
  })
  .meta({ id: 'Take' });

/** Why a start was refused. */
export const takeRefusalSchema = z.object({
  at: instantSchema,
  code: z.string(),
  message: z.string(),
});

/** Body of `POST /api/takes`. */
export const takeStartSchema = z
  .strictObject({
    cameras: z.array(slugSchema).min(1).optional().describe('Record these; without it, all'),
  })
  .default({});

/** See {@link takeSchema}. */
export type Take = z.infer<typeof takeSchema>;
/** See {@link takeCameraSchema}. */
export type TakeCamera = z.infer<typeof takeCameraSchema>;
/** See {@link takeRefusalSchema}. */
export type TakeRefusal = z.infer<typeof takeRefusalSchema>;
/** See {@link takeStateSchema}. */
export type TakeState = z.infer<typeof takeStateSchema>;
