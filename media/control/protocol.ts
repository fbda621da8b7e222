/**
 * The control channel of the media process: newline-delimited JSON over a Unix socket. Requests carry an id, which the
 * response repeats; events carry none.
 */
import { z } from 'zod';
import { feedStateSchema, feedStatsSchema } from '../sfu/feed-stats.ts';
import { layerNames } from '../sfu/layer.ts';

const port = z.int().min(1).max(65535);
const feedId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
  .describe('Lower-case letters, digits, hyphens and underscores');
const ipAddress = z.union([z.ipv4(), z.ipv6()]);
const layer = z.enum(layerNames);

/** A local pipeline's RTP stream that becomes a feed. */
const ingestSchema = z.strictObject({
  feed: feedId,
  layer: layer.optional().describe('Default high'),
  rtpPort: port.describe('RTP on 127.0.0.1; RTCP on the same port or the next one'),
  kind: z.literal('h264'),
  tellsCaptureTime: z
    .boolean()
    .optional()
    .describe('Its sender reports map timestamps to the time of capture by this machine’s clock'),
  audio: z.strictObject({ rtpPort: port }).optional(),
});

/** A feed that is published to another server by WHIP. */
const pushSchema = z.strictObject({
  feed: feedId,
  layer: layer.optional().describe('Default high'),
  url: z.url({ protocol: /^https?$/ }).describe('WHIP endpoint of the hub'),
  token: z.string().min(1).optional(),
  tlsFingerprint: z
    .string()
    .regex(/^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/)
    .optional()
    .describe('SHA-256 of the hub’s certificate; replaces the check by authorities'),
});

/** A feed that is sent on to another server. */
export const outputSchema = pushSchema.extend({
  output: z.string().min(1).max(64).describe('Which of the settings’ outputs; one may have several feeds'),
  url: z.url({ protocol: /^https?$/ }).describe('WHIP endpoint of the server'),
  ca: z
    .string()
    .max(65_536)
    .optional()
    .describe('Certificate authority (PEM) to accept in addition to the known ones'),
});

/** A feed that is delivered over a Unix socket as H.264. */
const tapSchema = z.strictObject({
  feed: feedId,
  socketPath: z
    .string()
    .min(1)
    .max(107)
    .describe('Unix socket: every connection gets the feed’s H.264 (Annex B) from its newest keyframe on'),
});

/** A feed of another server, copied from there by WHEP: the mirror image of a push. */
const pullSchema = pushSchema.omit({ layer: true }).extend({
  url: z.url({ protocol: /^https?$/ }).describe('WHEP endpoint of the other server'),
});

/** Outputs at most, those to the same server counted for each feed. */
export const maxOutputs = 64;

/** Everything the media process should do. */
export const mediaConfigSchema = z.strictObject({
  udpPort: z.int().min(0).max(65535).describe('0 takes any free port'),
  tcpPort: z
    .int()
    .min(0)
    .max(65535)
    .nullable()
    .default(null)
    .describe('For peers whose network blocks UDP; 0 is the number of the UDP port, null is none'),
  listenAddresses: z.union([z.literal('auto'), z.array(ipAddress).min(1).max(32)]),
  maxPublisherBitrateKbps: z.int().min(100).max(200_000).default(20_000),
  ingests: z.array(ingestSchema).max(32),
  pushes: z.array(pushSchema).max(32),
  pulls: z.array(pullSchema).max(32).default([]),
  taps: z.array(tapSchema).max(64).default([]),
  outputs: z.array(outputSchema).max(maxOutputs).default([]),
});
/** See {@link mediaConfigSchema}. */
export type MediaConfig = z.infer<typeof mediaConfigSchema>;

/** Who sends a request: the key that admitted it, and what that key may do. */
const sessionOwnerSchema = z.strictObject({
  keyId: z.string().max(64).nullable().describe('Null if no key was needed'),
  role: z.enum(['owner', 'operator', 'viewer', 'camera', 'public']),
});
/** See {@link sessionOwnerSchema}. */
export type SessionOwner = z.infer<typeof sessionOwnerSchema>;

const offerParams = z.strictObject({
  feed: feedId,
  sdp: z.string().min(1).max(65536),
  peer: z.string().max(200).nullable().describe('Who asks, for statistics and logs'),
  keyId: z.string().max(64).nullable().default(null).describe('Key that let the peer in; see endSessionsOf'),
  owner: sessionOwnerSchema.optional().describe('Whose the session will be; goes before keyId'),
});

/** A session for the status. */
const sessionInfoSchema = z.object({
  sessionId: z.string(),
  kind: z.enum(['whip', 'whep']),
  feed: z.string(),
  peer: z.string().nullable(),
  etag: z.string(),
  state: z.enum(['new', 'connecting', 'connected', 'closed']),
});
/** See {@link sessionInfoSchema}. */
export type SessionInfo = z.infer<typeof sessionInfoSchema>;

/** Names a session. Given values of `kind`, `feed` and `owner` must match it; otherwise there is no such session. */
const sessionParams = z.strictObject({
  sessionId: z.string().min(1).max(64),
  kind: z.enum(['whip', 'whep']).optional(),
  feed: feedId.optional(),
  owner: sessionOwnerSchema.optional().describe('Who asks: its opener, an operator, or an owner'),
});
/** See {@link sessionParams}. */
export type SessionReference = z.infer<typeof sessionParams>;
const answerSchema = z.object({ sessionId: z.string(), etag: z.string(), answer: z.string() });
/** Answer to an SDP offer: the SDP, the session's id and its ETag. */
export type SignalingAnswer = z.infer<typeof answerSchema>;

/** A viewer's choice among a feed's layers. The defaults are the full layer, not paused. */
const layerWishSchema = z.strictObject({
  layer: layer.optional(),
  maxWidth: z.int().min(1).optional(),
  maxHeight: z.int().min(1).optional(),
  paused: z.boolean().optional(),
});
const layerChoiceSchema = z.object({ layer, paused: z.boolean() });

/** The state of a push or a pull. */
const pushStatusSchema = z.object({
  feed: z.string(),
  layer: layer.default('high'),
  url: z.string(),
  state: z.enum(['idle', 'connecting', 'connected', 'failed']),
  /** Why it failed, in words; null otherwise. */
  reason: z.string().nullable(),
  /** Code of the failure, such as FEED_BUSY, HUB_UNREACHABLE, HUB_REFUSED, HUB_SILENT; null otherwise. */
  code: z.string().nullable(),
  /** Milliseconds until the next try; null if none is planned. */
  retryInMs: z.number().nullable(),
  connections: z.int(),
});
/** See {@link pushStatusSchema}. */
export type PushStatus = z.infer<typeof pushStatusSchema>;

/** The state of an output. */
const outputStatusSchema = pushStatusSchema.omit({ url: true }).extend({
  output: z.string(),
  /** Unix time since when it is in this state. */
  sinceMs: z.number(),
});
/** See {@link outputStatusSchema}. */
export type OutputStatus = z.infer<typeof outputStatusSchema>;

/** The state of the media process. */
const mediaStatusSchema = z.object({
  pid: z.int(),
  uptimeMs: z.number(),
  bound: z.array(z.object({ address: z.string(), port: z.int() })),
  sessions: z.int(),
  datagramsIn: z.number(),
  datagramsOut: z.number(),
  datagramsRefused: z.number(),
  sendErrors: z.number(),
  rssBytes: z.number(),
  /** Parts of the configuration that could not be set up, in words. */
  problems: z.array(z.string()),
  pushes: z.array(pushStatusSchema),
  pulls: z.array(pushStatusSchema),
  outputs: z.array(outputStatusSchema),
});
/** See {@link mediaStatusSchema}. */
export type MediaStatus = z.infer<typeof mediaStatusSchema>;

/** Every method with its parameters and its result. */
export const methods = {
  configure: { params: mediaConfigSchema, result: z.object({ problems: z.array(z.string()) }) },
  whipOffer: {
    params: offerParams.extend({
      publisherKey: z
        .string()
        .max(200)
        .nullable()
        .describe('A publisher with the key of the current one takes over'),
      layer: layer.optional().describe('What it sends; default high'),
    }),
    result: answerSchema,
  },
  whepOffer: { params: offerParams, result: answerSchema },
  patchSession: {
    params: sessionParams.extend({
      ifMatch: z.string().max(400).nullable(),
      fragment: z.string().max(65536),
    }),
    result: z.object({ restart: z.object({ etag: z.string(), fragment: z.string() }).nullable() }),
  },
  selectLayer: {
    params: sessionParams.extend({ wish: layerWishSchema }),
    result: layerChoiceSchema,
  },
  closeSession: { params: sessionParams, result: z.null() },
  endSessionsOf: {
    params: z.strictObject({ keyId: z.string().min(1).max(64) }),
    result: z.int().describe('How many there were'),
  },
  endSessionsExcept: {
    params: z.strictObject({ keyIds: z.array(z.string().min(1).max(64)).max(10_000) }),
    result: z.int().describe('Number of sessions whose key is not among these'),
  },
  sessionInfo: { params: sessionParams, result: sessionInfoSchema },
  feeds: { params: z.strictObject({}), result: z.array(feedStatsSchema) },
  status: { params: z.strictObject({}), result: mediaStatusSchema },
  subscribeMetrics: {
    params: z.strictObject({ intervalMs: z.int().min(100).max(60_000).nullable() }),
    result: z.null(),
  },
} as const;

/** Name of a method. */
export type MethodName = keyof typeof methods;
/** Parameters of a method before they are parsed. */
export type ParamsOf<M extends MethodName> = z.input<(typeof methods)[M]['params']>;
/** Parameters of a method after they are parsed. */
export type ParsedParamsOf<M extends MethodName> = z.output<(typeof methods)[M]['params']>;
/** Result of a method. */
export type ResultOf<M extends MethodName> = z.infer<(typeof methods)[M]['result']>;

/** Events that the media process sends by itself. */
export const mediaEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('feed'), feed: z.string(), state: feedStateSchema }),
  z.object({ event: z.literal('session-opened'), session: sessionInfoSchema }),
  z.object({ event: z.literal('session-closed'), session: sessionInfoSchema, reason: z.string() }),
  z.object({ event: z.literal('push'), push: pushStatusSchema }),
  z.object({ event: z.literal('pull'), pull: pushStatusSchema }),
  z.object({ event: z.literal('output'), output: outputStatusSchema }),
  z.object({ event: z.literal('metrics'), feeds: z.array(feedStatsSchema), status: mediaStatusSchema }),
]);
/** See {@link mediaEventSchema}. */
export type MediaEvent = z.infer<typeof mediaEventSchema>;

/** A request. */
export const requestSchema = z.strictObject({ id: z.int(), method: z.string(), params: z.unknown() });

/** An error in a response. */
const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  retryAfterS: z.number().optional(),
});

/** A response: the result, or an error. */
export const responseSchema = z.union([
  z.object({ id: z.int(), result: z.unknown() }).and(z.object({ error: z.undefined().optional() })),
  z.object({ id: z.int().nullable(), error: errorSchema }),
]);
