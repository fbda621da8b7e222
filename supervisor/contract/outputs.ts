import { z } from 'zod';
import { instantSchema, slugSchema } from './common.ts';

/** The state of a feed that is sent on to another server. */
export const outputStateSchema = z
  .enum(['off', 'waiting', 'connecting', 'live', 'failed'])
  .describe('waiting: the feed has nothing to send now; failed: it is retried automatically');

const flowFields = {
  state: outputStateSchema,
  reason: z.string().nullable().describe('Why it is not live, and what to do; null while it is'),
  bitrateKbps: z.number().describe('Current outgoing rate'),
};

/** One feed of an output; one with `feed = "*"` has several. */
export const outputFlowSchema = z.object({
  feed: slugSchema,
  ...flowFields,
  retryAt: instantSchema.nullable().describe('When it is tried again; null if no retry is planned'),
  connections: z.int().describe('How often it has been connected since the media process started'),
  lossRatio: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe('Loss reported by the server; null if it does not report any'),
  rttMs: z.number().nullable(),
  skippedFrames: z.int().describe('Frames left out because the connection could not carry them'),
});

/** One `[[output]]`. Neither its token nor its URL, which may bear a stream key, is in it. */
export const outputSchema = z
  .object({
    id: slugSchema,
    label: z.string(),
    feed: z.string().describe('Id of the feed, or * for every feed'),
    server: z.string().describe('Where it goes: scheme, host and port of the URL'),
    ...flowFields,
    since: instantSchema.describe('Since when it is in this state'),
    flows: z.array(outputFlowSchema),
  })
  .meta({ id: 'Output' });

/** See {@link outputSchema}. */
export type Output = z.infer<typeof outputSchema>;
/** See {@link outputFlowSchema}. */
export type OutputFlow = z.infer<typeof outputFlowSchema>;
