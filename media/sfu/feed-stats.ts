/** Shapes of the figures of feeds, which cross the control channel. */
import { z } from 'zod';
import { layerNames } from './layer.ts';

/** Whether frames arrive. */
export const feedStateSchema = z.enum(['online', 'stalled', 'offline']);
/** See {@link feedStateSchema}. */
export type FeedState = z.infer<typeof feedStateSchema>;

/** Who publishes a feed. */
const publisherInfoSchema = z.object({
  kind: z.enum(['whip', 'ingest', 'pull']),
  /** Of a WHIP session; null otherwise. */
  sessionId: z.string().nullable(),
  /** Who publishes, by the name that came with the offer; the URL of a pull; null for an ingest. */
  peer: z.string().nullable(),
  /** Unix time. */
  sinceMs: z.number(),
});
/** See {@link publisherInfoSchema}. */
export type PublisherInfo = z.infer<typeof publisherInfoSchema>;

/** One viewer of a feed. */
const viewerStatsSchema = z.object({
  /** Session id; `push:<feed>` for a push to another hub. */
  id: z.string(),
  peer: z.string().nullable(),
  connected: z.boolean(),
  /** What it gets, or goes over to. */
  layer: z.enum(layerNames).default('high'),
  /** It gets no picture, as it requested. */
  paused: z.boolean().default(false),
  bitrateKbps: z.number(),
  /** Part of it that was sent before, and lost. */
  repairKbps: z.number(),
  /** Share lost since the last receiver report; null before the first. */
  lossRatio: z.number().nullable(),
  rttMs: z.number().nullable(),
  retransmitted: z.int(),
  /** Asked for again and not sent: a repetition was under way already, or the link would be swamped. */
  retransmitsRefused: z.int(),
  skippedFrames: z.int(),
});
/** See {@link viewerStatsSchema}. */
export type ViewerStats = z.infer<typeof viewerStatsSchema>;

/** One layer of a feed. */
const layerStatsSchema = z.object({
  layer: z.enum(layerNames),
  width: z.int().nullable(),
  height: z.int().nullable(),
  fps: z.number().nullable(),
  bitrateKbps: z.number(),
});
/** See {@link layerStatsSchema}. */
export type LayerStats = z.infer<typeof layerStatsSchema>;

/** A feed's figures, as they cross the control channel. */
export const feedStatsSchema = z.object({
  feed: z.string(),
  state: feedStateSchema,
  /** RFC 6381, such as `avc1.42e01f`. */
  codec: z.string().nullable(),
  audioCodec: z.string().nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  fps: z.number().nullable(),
  bitrateKbps: z.number(),
  framesTotal: z.int(),
  /** Frames come in another order than they are shown in: B-frames. */
  reordersFrames: z.boolean().default(false),
  /** Packets of the publisher that never arrived. */
  packetsLost: z.int(),
  /** Share of the publisher's packets that were lost in the last seconds; null while none arrive. */
  lossRatio: z.number().min(0).max(1).nullable().default(null),
  /** From capture to arrival here by the publisher's own clock; null if it does not send the time of capture. */
  captureDelayMs: z.number().nullable(),
  keyframeAgeMs: z.number().nullable(),
  keyframeRequests: z.object({ requested: z.int(), sent: z.int() }),
  /** What spoils it for viewers, and what to change, in words. */
  notices: z.array(z.string()).default([]),
  /** Of the picture, largest first, if there is more than one. */
  layers: z.array(layerStatsSchema).default([]),
  publisher: publisherInfoSchema.nullable(),
  viewers: z.array(viewerStatsSchema),
});
/** See {@link feedStatsSchema}. */
export type FeedStats = z.infer<typeof feedStatsSchema>;
