import type { RouteDefinition } from '../route.ts';
import { feedParams, sessionParams } from './params.ts';

const sdp = { contentType: 'application/sdp', maxBytes: 256 * 1024, description: 'Session description' };
const sdpFragment = {
  contentType: 'application/trickle-ice-sdpfrag',
  maxBytes: 64 * 1024,
  description: 'ICE candidates or restart (RFC 8840)',
};
/** A page opens every feed of a hub at once, and several pages may share an address behind a proxy. */
const rate = { burst: 200, perSecond: 20 };

/** Publishing by WHIP (RFC 9725) and viewing by WHEP. */
export const signalingRoutes = {
  whipEndpoint: {
    method: 'GET',
    path: '/whip/:feed',
    access: ['camera', 'operator'],
    summary: 'WHIP endpoint exists',
    params: feedParams,
    status: 200,
  },
  whipOptions: {
    method: 'OPTIONS',
    path: '/whip/:feed',
    access: ['public'],
    summary: 'What the WHIP endpoint accepts',
    params: feedParams,
    status: 200,
  },
  whipPublish: {
    method: 'POST',
    path: '/whip/:feed',
    access: ['camera', 'operator'],
    summary: 'Publish a feed (RFC 9725)',
    params: feedParams,
    body: sdp,
    rate,
    status: 201,
    response: sdp,
  },
  whipSession: {
    method: 'GET',
    path: '/whip/:feed/:session',
    access: ['camera', 'operator'],
    summary: 'WHIP session exists',
    params: sessionParams,
    status: 204,
  },
  whipPatch: {
    method: 'PATCH',
    path: '/whip/:feed/:session',
    access: ['camera', 'operator'],
    summary: 'Trickle ICE or ICE restart',
    params: sessionParams,
    body: sdpFragment,
    rate,
    status: 204,
  },
  whipDelete: {
    method: 'DELETE',
    path: '/whip/:feed/:session',
    access: ['camera', 'operator'],
    summary: 'End publishing',
    params: sessionParams,
    rate,
    status: 200,
  },
  whepEndpoint: {
    method: 'GET',
    path: '/whep/:feed',
    access: ['viewer', 'camera'],
    summary: 'WHEP endpoint exists',
    params: feedParams,
    status: 200,
  },
  whepOptions: {
    method: 'OPTIONS',
    path: '/whep/:feed',
    access: ['public'],
    summary: 'What the WHEP endpoint accepts',
    params: feedParams,
    status: 200,
  },
  whepView: {
    method: 'POST',
    path: '/whep/:feed',
    access: ['viewer', 'camera'],
    summary: 'View a feed (WHEP)',
    params: feedParams,
    body: sdp,
    rate,
    status: 201,
    response: sdp,
  },
  whepSession: {
    method: 'GET',
    path: '/whep/:feed/:session',
    access: ['viewer', 'camera'],
    summary: 'WHEP session exists',
    params: sessionParams,
    status: 204,
  },
  whepPatch: {
    method: 'PATCH',
    path: '/whep/:feed/:session',
    access: ['viewer', 'camera'],
    summary: 'Trickle ICE or ICE restart',
    params: sessionParams,
    body: sdpFragment,
    rate,
    status: 204,
  },
  whepDelete: {
    method: 'DELETE',
    path: '/whep/:feed/:session',
    access: ['viewer', 'camera'],
    summary: 'End viewing',
    params: sessionParams,
    rate,
    status: 200,
  },
} as const satisfies Record<string, RouteDefinition>;
