import { z } from 'zod';
import { instantSchema } from './common.ts';

/** One of the two slots: its version, and whether it is good. */
export const slotSchema = z.object({
  name: z.enum(['A', 'B']),
  booted: z.boolean(),
  state: z.enum(['good', 'bad', 'trial', 'empty', 'unknown']),
  version: z.string().nullable(),
});

/** How an attempt to update a machine ended. */
export const attemptSchema = z.object({
  version: z.string(),
  at: instantSchema,
  outcome: z.enum(['committed', 'rolled-back', 'refused', 'failed']),
  reason: z.string().nullable(),
});

/** Updates of this machine, as `GET /api/update` shows them. */
export const updateSchema = z
  .object({
    installedVersion: z.string(),
    compatible: z
      .string()
      .nullable()
      .describe('The board that bundles must be for; null if this machine cannot be updated'),
    latestVersion: z.string().nullable(),
    releaseNotes: z.string().nullable(),
    state: z.enum([
      'unsupported',
      'idle',
      'deferred',
      'downloading',
      'installing',
      'armed',
      'trial',
      'rolled-back',
    ]),
    progressPercent: z.number().min(0).max(100).nullable(),
    reason: z.string().nullable().describe('Why it waits, failed or rolled back'),
    slots: z.array(slotSchema),
    lastAttempt: attemptSchema
      .extend({
        stages: z.array(
          z.object({ name: z.string(), at: instantSchema, ok: z.boolean(), detail: z.string().nullable() }),
        ),
      })
      .nullable()
      .describe('The black box of the last attempt, with its outcome judged by the slot that really booted'),
  })
  .meta({ id: 'Update' });

/** Body of `POST /api/update/install`. */
export const updateInstallSchema = z.strictObject({
  url: z.string().optional().describe('A bundle; without it, the latest in the channel'),
  force: z.boolean().default(false).describe('Also during a take'),
  allowDowngrade: z.boolean().default(false),
});

/** See {@link updateSchema}. */
export type Update = z.infer<typeof updateSchema>;
/** See {@link updateInstallSchema}. */
export type UpdateInstall = z.infer<typeof updateInstallSchema>;
