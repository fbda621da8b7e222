import { z } from 'zod';
import { instantSchema, slugSchema } from './common.ts';

export const takeStateSchema = z.enum(['starting', 'recording', 'finishing', 'verified', 'failed']);

export const takeCameraSchema = z.object({
  camera: slugSchema,
  device: z.string().nullable().describe('The appliance that keeps the master; null: this one'),
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
      remainingS: z.number().nullable().describe('Null where that cannot be told yet'),
    })
    .optional()
    .describe('How far compressing and verifying have come; absent where nothing is being finished'),
  checking: z
    .object({ done: z.int(), of: z.int() })
    .optional()
    .describe('Its masters are being read again: how many of those that are looked at are done'),
});

export const takeSchema = z
  .object({
    id: slugSchema,
    startedAt: instantSchema,
    stoppedAt: instantSchema.nullable(),
    state: takeStateSchema,
    cameras: z.array(takeCameraSchema),
  })
  .meta({ id: 'Take' });

export const takeStartSchema = z
  .strictObject({
    cameras: z.array(slugSchema).min(1).optional().describe('Record these; without it, all'),
  })
  .default({});

export type Take = z.infer<typeof takeSchema>;
export type TakeCamera = z.infer<typeof takeCameraSchema>;
export type TakeState = z.infer<typeof takeStateSchema>;
