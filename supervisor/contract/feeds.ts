import { z } from 'zod';
import { slugSchema } from './common.ts';

/** Names of layers: the picture as it is encoded for recording and large views, and small for grids and slow links. */
export const layerNameSchema = z.enum(['high', 'low']);

/** One layer of a feed. */
export const feedLayerSchema = z.object({
  rid: layerNameSchema,
  width: z.int().nullable(),
  height: z.int().nullable(),
  fps: z.number().nullable(),
  bitrateKbps: z.number(),
});

/** One viewer of a feed, as `GET /api/feeds/:feed` shows it. Rates in kbit/s, times in milliseconds. */
export const feedViewerSchema = z.object({
  id: z.string(),
  connected: z.boolean(),
  layer: layerNameSchema.describe('The layer that it gets'),
  paused: z.boolean().describe('It gets no picture, as it requested'),
  bitrateKbps: z.number(),
  lossRatio: z.number().min(0).max(1).nullable().describe('Last receiver report; null before the first'),
  rttMs: z.number().nullable(),
  skippedFrames: z.int().describe('Frames left out because this viewer could not keep up'),
});

/** A feed as `GET /api/feeds` shows it: codec, size, rate, publisher, viewers, loss. */
export const feedSchema = z
  .object({
    id: slugSchema,
    label: z.string(),
    state: z.enum(['online', 'stalled', 'offline']),
    reason: z.string().nullable().describe('Why it is not online, if known'),
    codec: z
      .string()
      .nullable()
      .describe('RFC 6381 string, such as avc1.42e01f; mjpeg: pictures, available at /stream/<id>.mjpg'),
    audioCodec: z.string().nullable(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    fps: z.number().nullable(),
    bitrateKbps: z.number(),
    framesTotal: z.int(),
    packetsLost: z.int(),
    lossRatio: z.number().min(0).max(1).nullable().describe('Loss on the way in over the last seconds'),
    latencyMs: z.number().nullable().describe('From capture to arrival here; null if the clocks are unknown'),
    keyframeAgeMs: z.number().nullable(),
    layers: z
      .array(feedLayerSchema)
      .describe(
        'Layers that viewers can choose now, largest first; only one if its source makes no small one',
      ),
    publisher: z
      .object({
        kind: z.enum(['whip', 'ingest', 'pull', 'jpeg']),
        camera: z
          .string()
          .nullable()
          .describe('The camera that publishes it; null for sources of this machine and feeds that it pulls'),
        sinceMs: z.number(),
      })
      .nullable(),
    viewers: z.array(feedViewerSchema),
  })
  .meta({ id: 'Feed' });

/** See {@link feedSchema}. */
export type Feed = z.infer<typeof feedSchema>;
