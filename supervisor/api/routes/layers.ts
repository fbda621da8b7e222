import type { Context } from 'koa';
import { viewingEvents } from '../../contract/index.ts';
import type { ApiPorts } from '../../contract/ports.ts';
import type { RouteHandlers } from '../router.ts';
import { EventStreams } from './viewing-events.ts';

type LayerRoute = 'whepLayer' | 'whepEvents' | 'whepEventStream' | 'whepEventStreamEnd';

/** What a viewer may do with its session beyond playing it: the extensions of WHEP. */
export function layerRoutes(ports: ApiPorts): Pick<RouteHandlers, LayerRoute> {
  const { signaling } = ports;
  const streams = new EventStreams(ports);
  return {
    whepLayer: async ({ params: { feed, session }, body, caller }) => {
      const { encodingId, rid = encodingId, maxWidth, maxHeight, paused } = body;
      const claim = { kind: 'whep', feed, sessionId: session, caller } as const;
      return await signaling.selectLayer(claim, { rid, maxWidth, maxHeight, paused });
    },
    whepEvents: async ({ params: { feed, session }, body, caller }, ctx) => {
      const claim = { kind: 'whep', feed, sessionId: session, caller } as const;
      await signaling.session(claim);
      ctx.set('Location', `/whep/${feed}/${session}/sse/${streams.open(claim, body)}`);
      return undefined;
    },
    whepEventStream: async ({ params }, ctx) => {
      await streams.answer(params, ctx);
      return undefined;
    },
    whepEventStreamEnd: ({ params }) => {
      streams.end(params);
      return undefined;
    },
  };
}

/** Says in the answer to a viewer's offer where the extensions are (WHEP draft, section 4.9). */
export function linkExtensions(feed: string, session: string, ctx: Context): void {
  const at = `/whep/${feed}/${session}`;
  const events = viewingEvents.join(',');
  ctx.append('Link', `<${at}/layer>; rel="urn:ietf:params:whep:ext:core:layer"`);
  ctx.append(
    'Link',
    `<${at}/sse>; rel="urn:ietf:params:whep:ext:core:server-sent-events"; events="${events}"`,
  );
}
