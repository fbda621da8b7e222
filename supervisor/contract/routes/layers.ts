import { z } from 'zod';
import { layerNameSchema } from '../feeds.ts';
import type { RouteDefinition } from '../route.ts';
import { sessionParams } from './params.ts';

const streamParams = sessionParams.extend({ stream: z.string().min(1).max(64) });
const layerIndex = z.int().min(0).max(15).optional();

/** Events of a viewing session that this appliance has. */
export const viewingEvents = ['active', 'inactive', 'layers', 'viewercount'] as const;

/** A viewer's choice among a feed's layers, by the WHEP extension for layer selection. */
export const layerWishSchema = z
  .object({
    mediaId: z.string().max(32).optional().describe('Media section; a session has one with video'),
    rid: layerNameSchema.optional().describe('The layer; without it the largest that the limits allow'),
    encodingId: layerNameSchema.optional().describe('Its name in earlier drafts'),
    maxWidth: z.int().min(1).optional(),
    maxHeight: z.int().min(1).optional(),
    paused: z
      .boolean()
      .optional()
      .describe('Beyond the draft: no picture is sent until a request without it. Sound continues.'),
    spatialLayerId: layerIndex.describe('Not used: layers are encoded one by one'),
    temporalLayerId: layerIndex.describe('Not used'),
    maxSpatialLayerId: layerIndex.describe('Not used'),
    maxTemporalLayerId: layerIndex.describe('Not used'),
  })
  .meta({ id: 'LayerWish' });

/** The layer that a viewer gets. */
export const layerChoiceSchema = z
  .object({
    rid: layerNameSchema.describe('What is sent now, or from its next keyframe on'),
    paused: z.boolean(),
  })
  .meta({ id: 'LayerChoice' });

/** A viewer's choice. */
export type LayerWish = Pick<z.infer<typeof layerWishSchema>, 'rid' | 'maxWidth' | 'maxHeight' | 'paused'>;
/** See {@link layerChoiceSchema}. */
export type LayerChoice = z.infer<typeof layerChoiceSchema>;

/** Enough for pages that change layers with their windows; each change may ask a camera for a keyframe. */
const rate = { burst: 100, perSecond: 20 };

/** Publishing a small layer beside a feed, and the extensions of WHEP: layer selection and server-sent events. */
export const layersRoutes = {
  whipSmallLayer: {
    method: 'POST',
    path: '/whip/:feed/layers/low',
    access: ['camera', 'operator'],
    summary: 'Publish the small layer of a feed in a separate WHIP session',
    params: sessionParams.pick({ feed: true }),
    body: { contentType: 'application/sdp', maxBytes: 256 * 1024, description: 'Session description' },
    rate,
    status: 201,
    response: { contentType: 'application/sdp', description: 'Session description' },
  },
  whepLayer: {
    method: 'POST',
    path: '/whep/:feed/:session/layer',
    access: ['viewer', 'camera'],
    summary: 'Choose a layer, or pause',
    rate,
    params: sessionParams,
    body: layerWishSchema,
    status: 200,
    response: layerChoiceSchema,
  },
  whepEvents: {
    method: 'POST',
    path: '/whep/:feed/:session/sse',
    access: ['viewer', 'camera'],
    summary: 'Open a stream of events of this session; the Location is the stream',
    params: sessionParams,
    body: z.array(z.string().max(32)).max(16).optional().describe('Requested events; default: all'),
    status: 201,
  },
  whepEventStream: {
    method: 'GET',
    path: '/whep/:feed/:session/sse/:stream',
    access: ['viewer', 'camera'],
    summary: 'Server-sent events: active, inactive, layers, viewercount',
    params: streamParams,
    status: 200,
    response: { contentType: 'text/event-stream', description: 'Server-sent events' },
  },
  whepEventStreamEnd: {
    method: 'DELETE',
    path: '/whep/:feed/:session/sse/:stream',
    access: ['viewer', 'camera'],
    summary: 'End a stream of events',
    params: streamParams,
    status: 200,
  },
} as const satisfies Record<string, RouteDefinition>;
