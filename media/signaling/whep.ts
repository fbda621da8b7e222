/** Viewer sessions (WHEP draft, section 4.2). */
import { randomBytes } from 'node:crypto';
import type { Feed } from '../sfu/feed.ts';
import type { FeedViewer } from '../sfu/feed-port.ts';
import { createSsrc } from '../sfu/viewer.ts';
import { acceptOffer, type SessionContext } from './accept-offer.ts';
import type { LayerChoice, LayerWish, MediaSession } from './media-session.ts';
import { negotiateViewer } from './negotiate.ts';
import { parseOffer } from './offer.ts';

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
  const { transport, signaling, connect } = await acceptOffer(context, offer, negotiated);
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
  return connect(
    { kind: 'send', tracks },
    {
      kind: 'whep',
      feed: feed.id,
      layer: null,
      select: (wish) => selectLayer(feed, viewer, wish),
      peer: request.peer,
      keyId: request.keyId,
      publisherKey: null,
      media: viewer,
    },
  );
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
