import { z } from 'zod';
import { deviceIdSchema, instantSchema, slugSchema, textOf } from './common.ts';
import { cameraUpdateSchema } from './rollout.ts';
import { linkedCameraSchema, sourceStatusSchema } from './status.ts';
import { takeCameraSchema } from './takes.ts';

/** Comes back with the answer (`accepted` or `refused`). */
const orderSchema = z.string().min(1).max(64);

/** More sources than one machine can have, and texts longer than a person reads, are rejected. */
const maxSources = 64;
const wordSchema = textOf(64);
const reasonSchema = textOf(512);
const sourcesSchema = z
  .array(sourceStatusSchema.extend({ label: textOf(128), reason: reasonSchema.nullable() }))
  .max(maxSources);
const takeCamerasSchema = z
  .array(takeCameraSchema.extend({ reason: reasonSchema.nullable() }))
  .max(maxSources);

/**
 * The link a camera holds open to its hub (`WS /ws/agent`): JSON messages, one per frame. The camera says `hello` first; the
 * hub answers `welcome` or closes with 4xxx and a reason.
 *
 * Hub and cameras are updated one after the other, so each must work with the release before and after its own: fields are only
 * added, with a default, and a message that is not understood is ignored.
 */
export const agentUpSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    id: deviceIdSchema,
    name: slugSchema,
    version: wordSchema,
    sources: sourcesSchema,
  }),
  z.object({
    type: z.literal('status'),
    sources: sourcesSchema,
    recording: linkedCameraSchema.shape.recording,
    remainingS: linkedCameraSchema.shape.remainingS,
    sentAt: instantSchema,
    update: cameraUpdateSchema.nullable().catch(null).describe('Null from releases that do not report it'),
  }),
  z.object({ type: z.literal('take'), takeId: slugSchema, cameras: takeCamerasSchema }),
  z.object({
    type: z.literal('refused'),
    command: wordSchema,
    code: wordSchema,
    reason: reasonSchema,
    order: orderSchema.optional(),
  }),
  z.object({ type: z.literal('accepted'), command: wordSchema, order: orderSchema }),
  z.object({ type: z.literal('pong'), echo: z.number(), at: z.number() }),
]);

/** What the hub sends over the link: `welcome`, orders about takes and updates, and whether a take runs. */
export const agentDownSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), hubId: deviceIdSchema, hubName: wordSchema }),
  z.object({
    type: z.literal('take-start'),
    takeId: slugSchema,
    startedAt: instantSchema,
    cameras: z.array(slugSchema).max(maxSources),
    order: orderSchema.optional().describe('The take’s id; hubs of release 0.1 do not ask for an answer'),
  }),
  z.object({
    type: z.literal('take-stop'),
    takeId: slugSchema,
    order: orderSchema.optional().describe('The take’s id; hubs of release 0.1 do not ask for an answer'),
  }),
  z.object({
    type: z.literal('ping'),
    echo: z.number(),
    take: z.boolean().optional().describe('A take runs, even if this camera has no part in it'),
  }),
  z.object({
    type: z.literal('update-install'),
    order: orderSchema,
    version: wordSchema,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    sizeBytes: z.int().positive(),
  }),
  z.object({ type: z.literal('update-cancel'), order: orderSchema }),
  z.object({ type: z.literal('update-rollback'), order: orderSchema }),
]);

/** A message of the camera on the link. */
export type AgentUp = z.infer<typeof agentUpSchema>;
/** A message of the hub on the link. */
export type AgentDown = z.infer<typeof agentDownSchema>;
/** What a hub orders about a camera's update. The camera answers `accepted` or `refused`. */
export type UpdateOrder = Extract<AgentDown, { order: string }>;

/** What both ends of the link expect of each other. */
export const linkLimits = {
  maxMessageBytes: 256 * 1024,
  pingEveryMs: 2000,
  /** A cut cable closes nothing: a link that is silent for this long is gone. */
  silentAfterMs: 6000,
} as const;

/** Close codes of the link, in the range RFC 6455 leaves to applications. */
export const linkClose = {
  notUnderstood: 4000,
  helloLate: 4001,
  takenOver: 4002,
  wrongIdentity: 4003,
  tooMuch: 4004,
} as const;
