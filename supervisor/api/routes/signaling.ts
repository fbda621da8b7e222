import type { Context } from 'koa';
import type { ApiPorts, SessionKind } from '../ports.ts';
import type { RouteHandlers } from '../router.ts';

type SignalingRoute = Extract<keyof RouteHandlers, `whip${string}` | `whep${string}`>;

/**
 * WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) over HTTP. The protocol itself lives in the media plane; here are
 * only status lines and headers.
 */
export function signalingRoutes({ signaling }: ApiPorts): Pick<RouteHandlers, SignalingRoute> {
  const offer = async (
    kind: SessionKind,
    feed: string,
    sdp: string,
    caller: Parameters<typeof signaling.offer>[3],
    ctx: Context,
  ) => {
    const answer = await signaling.offer(kind, feed, sdp, caller);
    ctx.set('Location', `/${kind}/${feed}/${answer.sessionId}`);
    ctx.set('ETag', answer.etag);
    ctx.set('Accept-Patch', 'application/trickle-ice-sdpfrag');
    return answer.answer;
  };
  const patch = async (kind: SessionKind, session: string, fragment: string, ctx: Context) => {
    const ifMatch = ctx.get('If-Match');
    const { restart } = await signaling.patch(kind, session, ifMatch === '' ? null : ifMatch, fragment);
    if (restart === null) return undefined;
    ctx.status = 200;
    ctx.set('ETag', restart.etag);
    ctx.type = 'application/trickle-ice-sdpfrag';
    ctx.body = restart.fragment;
    return undefined;
  };
  const exists = async (kind: SessionKind, session: string, ctx: Context) => {
    const { etag } = await signaling.session(kind, session);
    ctx.set('ETag', etag);
    return undefined;
  };
  const options = (ctx: Context) => {
    ctx.set('Accept-Post', 'application/sdp');
    return undefined;
  };
  return {
    whipEndpoint: () => undefined,
    whipOptions: (_request, ctx) => options(ctx),
    whipPublish: ({ params, body, caller }, ctx) => offer('whip', params.feed, body, caller, ctx),
    whipSession: ({ params }, ctx) => exists('whip', params.session, ctx),
    whipPatch: ({ params, body }, ctx) => patch('whip', params.session, body, ctx),
    whipDelete: async ({ params }) => {
      await signaling.close('whip', params.session);
      return undefined;
    },
    whepEndpoint: () => undefined,
    whepOptions: (_request, ctx) => options(ctx),
    whepView: ({ params, body, caller }, ctx) => offer('whep', params.feed, body, caller, ctx),
    whepSession: ({ params }, ctx) => exists('whep', params.session, ctx),
    whepPatch: ({ params, body }, ctx) => patch('whep', params.session, body, ctx),
    whepDelete: async ({ params }) => {
      await signaling.close('whep', params.session);
      return undefined;
    },
  };
}
