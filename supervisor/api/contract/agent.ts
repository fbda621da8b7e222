import { z } from 'zod';
import { instantSchema, slugSchema } from './common.ts';
import { linkedCameraSchema } from './status.ts';
import { takeCameraSchema } from './takes.ts';

/**
 * The link a camera holds open to its hub (`WS /ws/agent`): JSON messages, one a frame.
 * The camera says `hello` first; the hub answers `welcome` or closes with 4xxx and a reason.
 */
export const agentUpSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    id: z.string().min(1).max(64),
    name: slugSchema,
    version: z.string(),
    sources: linkedCameraSchema.shape.sources,
  }),
  z.object({
    type: z.literal('status'),
    sources: linkedCameraSchema.shape.sources,
    recording: linkedCameraSchema.shape.recording,
    remainingS: linkedCameraSchema.shape.remainingS,
    sentAt: instantSchema,
  }),
  z.object({ type: z.literal('take'), takeId: slugSchema, cameras: z.array(takeCameraSchema) }),
  z.object({ type: z.literal('refused'), command: z.string(), code: z.string(), reason: z.string() }),
  z.object({ type: z.literal('pong'), echo: z.number(), at: z.number() }),
]);

export const agentDownSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), hubId: z.string(), hubName: z.string() }),
  z.object({
    type: z.literal('take-start'),
    takeId: slugSchema,
    startedAt: instantSchema,
    cameras: z.array(slugSchema),
  }),
  z.object({ type: z.literal('take-stop'), takeId: slugSchema }),
  z.object({ type: z.literal('ping'), echo: z.number() }),
]);

export type AgentUp = z.infer<typeof agentUpSchema>;
export type AgentDown = z.infer<typeof agentDownSchema>;
