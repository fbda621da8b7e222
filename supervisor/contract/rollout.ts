import { z } from 'zod';
import { instantSchema } from './common.ts';
import { attemptSchema, updateSchema } from './update.ts';

/** The state of a camera's update, as the camera reports it over its link. */
export const cameraUpdateSchema = z.object({
  compatible: updateSchema.shape.compatible,
  state: updateSchema.shape.state,
  progressPercent: updateSchema.shape.progressPercent,
  reason: updateSchema.shape.reason,
  lastAttempt: attemptSchema.nullable(),
});

/** One machine of a rollout, and how far its update is. */
export const rolloutMemberSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(['camera', 'hub']),
    online: z.boolean(),
    installedVersion: z.string().nullable(),
    latestVersion: z
      .string()
      .nullable()
      .describe('The version it can get: the rollout’s, or the newest on offer'),
    releaseNotes: z.string().nullable(),
    state: z
      .enum(['waiting', 'updating', 'done', 'failed', 'skipped'])
      .nullable()
      .describe('Its part in the rollout; null if it has none'),
    busy: z.boolean().describe('An update is running, no matter who started it'),
    progressPercent: z.number().min(0).max(100).nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'RolloutMember' });

/** A hub updating its cameras and itself, one at a time. */
export const rolloutSchema = z
  .object({
    available: z
      .object({ version: z.string(), notes: z.string(), compatible: z.string(), sizeBytes: z.number() })
      .nullable()
      .describe('What a rollout would install now; null if no machine needs it'),
    version: z.string().nullable().describe('Of the current rollout, or the last one'),
    startedAt: instantSchema.nullable(),
    phase: z.enum(['none', 'running', 'paused', 'halted', 'done', 'cancelled']),
    reason: z.string().nullable().describe('What it waits for, or why it halted'),
    canary: z.string().nullable().describe('Id of the camera that goes first and has to succeed'),
    cachingPercent: z.number().min(0).max(100).nullable().describe('While the hub fetches the bundle'),
    members: z
      .array(rolloutMemberSchema)
      .describe('In the order of the rollout, the hub last; then machines that take no part'),
  })
  .meta({ id: 'Rollout' });

/** Body of `POST /api/rollout`. */
export const rolloutStartSchema = z
  .strictObject({
    version: z.string().optional().describe('A version on offer; default: the newest'),
    canary: z
      .string()
      .optional()
      .describe('Id of the camera that goes first; default: the first by name that is connected'),
    cameras: z.array(z.string()).min(1).optional().describe('Ids; default: all cameras that are connected'),
    hub: z.boolean().default(true).describe('Whether the hub follows, after its cameras'),
  })
  .default({ hub: true });

/** Body of `POST /api/rollout/canary`: the camera that is updated first. */
export const canarySchema = z.strictObject({ camera: z.string().min(1).max(64) });

/** See {@link cameraUpdateSchema}. */
export type CameraUpdate = z.infer<typeof cameraUpdateSchema>;
/** See {@link rolloutMemberSchema}. */
export type RolloutMember = z.infer<typeof rolloutMemberSchema>;
/** See {@link rolloutSchema}. */
export type Rollout = z.infer<typeof rolloutSchema>;
/** See {@link rolloutStartSchema}. */
export type RolloutStart = z.infer<typeof rolloutStartSchema>;
