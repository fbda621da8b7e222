import { z } from 'zod';
import { feedSchema } from '../feeds.ts';
import { outputSchema } from '../outputs.ts';
import { feedLinkQuerySchema } from '../pictures.ts';
import type { RouteDefinition } from '../route.ts';
import { feedParams } from './params.ts';

/** Feeds, and their pictures for clients without WebRTC. */
export const feedsRoutes = {
  listFeeds: {
    method: 'GET',
    path: '/api/feeds',
    access: ['viewer'],
    summary: 'All feeds',
    status: 200,
    response: z.array(feedSchema),
  },
  getFeed: {
    method: 'GET',
    path: '/api/feeds/:feed',
    access: ['viewer'],
    summary: 'One feed',
    params: feedParams,
    status: 200,
    response: feedSchema,
  },
  listOutputs: {
    method: 'GET',
    path: '/api/outputs',
    access: ['viewer'],
    summary:
      'Feeds that are sent on to other servers: state, reason and bit rate. PATCH /api/config sets them (key `output`)',
    status: 200,
    response: z.array(outputSchema),
  },
  streamPictures: {
    method: 'GET',
    path: '/stream/:feed.mjpg',
    access: ['viewer', 'camera'],
    summary: 'A feed as motion JPEG (multipart/x-mixed-replace); 503 if no picture comes within 5 s',
    params: feedParams,
    status: 200,
    response: { contentType: 'multipart/x-mixed-replace', description: 'JPEG pictures, the newest each' },
  },
  getPicture: {
    method: 'GET',
    path: '/stream/:feed.jpg',
    access: ['viewer', 'camera'],
    summary: 'The newest picture of a feed; 503 if none comes within 5 s',
    params: feedParams,
    status: 200,
    response: { contentType: 'image/jpeg', description: 'The picture' },
  },
  feedLink: {
    method: 'GET',
    path: '/ws/feeds/:feed',
    access: ['viewer', 'camera', 'operator'],
    summary:
      'JPEG pictures, one binary message each: from the feed; with ?publish to the feed, for which a camera’s or operator’s key is needed',
    params: feedParams,
    query: feedLinkQuerySchema,
    status: 101,
    websocket: true,
  },
} as const satisfies Record<string, RouteDefinition>;
