import type { Context } from 'koa';
import type { ApiPorts, Caller, SessionClaim, SessionKind } from '../../contract/ports.ts';
import type { KeyStore } from '../../system/key-store.ts';
import { ApiError } from '../api-error.ts';
import type { RouteHandlers } from '../router.ts';
import { type layerRoutes, linkExtensions } from './layers.ts';

type SignalingRoute = Exclude<
  Extract<keyof RouteHandlers, `whip${string}` | `whep${string}`>,
  keyof ReturnType<typeof layerRoutes>
>;

/**
 * WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) over HTTP. The protocol itself is in the media plane; here are only status
 * lines and headers.
 */
export function signalingRoutes(
  { signaling }: ApiPorts,
  keys: KeyStore,
): Pick<RouteHandlers, SignalingRoute> {
  const offer = async (
    kind: SessionKind,
    feed: string,
    sdp: string,
    caller: Parameters<typeof signaling.offer>[3],
    ctx: Context,
    layer?: 'low',
  ) => {
    const answer = await signaling.offer(kind, feed, sdp, caller, layer);
    if (caller.keyId !== null && !keys.isGood(caller.keyId)) {
      await signaling.close({ kind, feed, sessionId: answer.sessionId, caller });
      throw new ApiError('TOKEN_UNKNOWN', 'This token was revoked just now.');
    }
    ctx.set('Location', `/${kind}/${feed}/${answer.sessionId}`);
    if (kind === 'whep') linkExtensions(feed, answer.sessionId, ctx);
    ctx.set('ETag', answer.etag);
    ctx.set('Accept-Patch', 'application/trickle-ice-sdpfrag');
    return answer.answer;
  };
  const patch = async (session: SessionClaim, fragment: string, ctx: Context) => {
    const ifMatch = ctx.get('If-Match');
    const { restart } = await signaling.patch(session, ifMatch === '' ? null : ifMatch, fragment);
    if (restart === null) return undefined;
    ctx.status = 200;
    ctx.set('ETag', restart.etag);
    ctx.type = 'application/trickle-ice-sdpfrag';
    ctx.body = restart.fragment;
    return undefined;
  };
  const exists = async (session: SessionClaim, ctx: Context) => {
    const { etag } = await signaling.session(session);
    ctx.set('ETag', etag);
    return undefined;
  };
  /** What players find out by HEAD: that this URL takes offers (WHEP draft, section 4.2). */
  const endpoint = (ctx: Context) => {
    ctx.type = 'application/sdp';
    return undefined;
  };
  const options = (ctx: Context) => {
    ctx.set('Accept-Post', 'application/sdp');
    return undefined;
  };
  return {
    whipEndpoint: (_request, ctx) => endpoint(ctx),
    whipOptions: (_request, ctx) => options(ctx),
    whipPublish: ({ params, body, caller }, ctx) => offer('whip', params.feed, body, caller, ctx),
    whipSmallLayer: ({ params, body, caller }, ctx) => offer('whip', params.feed, body, caller, ctx, 'low'),
    whipSession: (request, ctx) => exists(claim('whip', request), ctx),
    whipPatch: (request, ctx) => patch(claim('whip', request), request.body, ctx),
    whipDelete: async (request) => {
      await signaling.close(claim('whip', request));
      return undefined;
    },
    whepEndpoint: (_request, ctx) => endpoint(ctx),
    whepOptions: (_request, ctx) => options(ctx),
    whepView: ({ params, body, caller }, ctx) => offer('whep', params.feed, body, caller, ctx),
    whepSession: (request, ctx) => exists(claim('whep', request), ctx),
    whepPatch: (request, ctx) => patch(claim('whep', request), request.body, ctx),
    whepDelete: async (request) => {
      await signaling.close(claim('whep', request));
      return undefined;
    },
  };
}

function claim(
  kind: SessionKind,
  { params, caller }: { params: { feed: string; session: string }; caller: Caller },
): SessionClaim {
  return { kind, feed: params.feed, sessionId: params.session, caller };
}
