/** Viewer sessions (WHEP draft, section 4.2). */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Feed } from '../sfu/feed.ts';
import type { FeedViewer } from '../sfu/feed-port.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { createSsrc } from '../sfu/viewer.ts';
import { buildAnswer } from './answer.ts';
import { type LayerChoice, type LayerWish, MediaSession } from './media-session.ts';
import { negotiateViewer } from './negotiate.ts';
import { parseOffer } from './offer.ts';
import { SignalingSession } from './session.ts';
import { openSharedTransport } from './shared-transport.ts';

/** What opening a session needs. */
export interface SessionContext {
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onConnected: () => void;
  readonly onClosed: (session: MediaSession, reason: string) => void;
}

/** Opens a session on a feed that is ready. Throws SignalingError. */
export async function openViewerSession(
  context: SessionContext,
  feed: Feed,
  request: { readonly sdp: string; readonly peer: string | null; readonly keyId: string | null },
): Promise<MediaSession> {
  const offer = parseOffer(request.sdp);
  const negotiated = negotiateViewer(offer, {
    video: feed.video.info,
    audioCodec: feed.audio?.codec ?? null,
  });
  const { datapath } = context;
  const transport = await openSharedTransport(datapath);
  const signaling = new SignalingSession(transport, offer);
  const tracks = {
    cname: randomBytes(8).toString('hex'),
    streamId: feed.id,
    videoSsrc: createSsrc(),
    audioSsrc: createSsrc(),
    repairSsrc: createSsrc(),
  };
  const { repairPayloadType: repair } = negotiated;
  const viewer = datapath.openViewer({
    id: signaling.id,
    peer: request.peer,
    feed,
    transport,
    cname: tracks.cname,
    steady: false,
    video: {
      payloadType: negotiated.video.format.payloadType,
      ssrc: tracks.videoSsrc,
      repair: repair === null ? null : { payloadType: repair, ssrc: tracks.repairSsrc },
    },
    audio:
      negotiated.audio === null
        ? null
        : {
            payloadTypes: new Map(
              negotiated.audio.formats.map(({ codec, payloadType }) => [codec, payloadType]),
            ),
            ssrc: tracks.audioSsrc,
          },
  });
  transport.connect({
    ...offer.ice,
    candidates: offer.candidates,
    fingerprints: offer.fingerprints,
    dtlsRole: offer.setup === 'passive' ? 'client' : 'server',
  });
  const local = { ice: transport.local, candidates: transport.candidates, fingerprint: datapath.fingerprint };
  const session = new MediaSession({
    kind: 'whep',
    feed: feed.id,
    layer: null,
    select: (wish) => selectLayer(feed, viewer, wish),
    peer: request.peer,
    keyId: request.keyId,
    publisherKey: null,
    answer: buildAnswer(offer, negotiated, local, { kind: 'send', tracks }),
    transport,
    signaling,
    media: viewer,
  });
  transport.events.on('state', (state, reason) => {
    if (state === 'connected') context.onConnected();
    if (state === 'closed') context.onClosed(session, reason ?? 'closed');
  });
  return session;
}

/** Selects the largest layer that the choice allows; a name takes precedence over limits. */
function selectLayer(feed: Feed, viewer: FeedViewer, wish: LayerWish): LayerChoice {
  const { maxWidth = Number.POSITIVE_INFINITY, maxHeight = Number.POSITIVE_INFINITY } = wish;
  const { width, height } = feed.video.info ?? { width: 0, height: 0 };
  const fits = width <= maxWidth && height <= maxHeight;
  const paused = wish.paused === true;
  // Before it resumes, so that it resumes with the layer it wants.
  const layer = feed.choose(viewer, wish.layer ?? (fits ? 'high' : 'low'));
  viewer.setPaused(paused);
  return { layer, paused };
}
