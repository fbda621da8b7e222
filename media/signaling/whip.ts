/** Publisher sessions (RFC 9725). */
import type { Feed } from '../sfu/feed.ts';
import type { LayerName } from '../sfu/layer.ts';
import { acceptOffer, type SessionContext } from './accept-offer.ts';
import type { MediaSession } from './media-session.ts';
import { lostSound, negotiatePublisher, sectionsOf, transportExtensionOf } from './negotiate.ts';
import { parseOffer } from './offer.ts';
import { Simulcast, takenLayers } from './simulcast.ts';

/** What a publisher asks for. */
export interface PublisherRequest {
  readonly sdp: string;
  readonly peer: string | null;
  readonly keyId: string | null;
  readonly publisherKey: string | null;
  readonly layer: LayerName;
  readonly maxBitrateKbps: number;
  /** See PublisherOptions. */
  readonly claim: (session: MediaSession) => boolean;
}

/** Opens a session that fills `feed`, which is a layer of the feed it is asked for; it has it once it is connected. Throws SignalingError. */
export async function openPublisherSession(
  context: SessionContext,
  feed: Feed,
  request: PublisherRequest,
): Promise<MediaSession> {
  const offer = parseOffer(request.sdp);
  const negotiated = negotiatePublisher(offer);
  const { datapath, logger } = context;
  const { transport, signaling, connect } = await acceptOffer(context, offer, negotiated);
  const [rid, smallRid] = request.layer === 'high' ? takenLayers(negotiated.video.media) : [];
  const options = {
    kind: 'whip',
    sessionId: signaling.id,
    peer: request.peer,
    transport,
    logger,
    videoPayloadType: negotiated.video.format.payloadType,
    repairPayloadType: negotiated.repairPayloadType,
    sections: sectionsOf(negotiated),
    transportExtension: transportExtensionOf(negotiated),
    reducedSize: negotiated.video.media.reducedSize,
    maxBitrateKbps: request.maxBitrateKbps,
    parameterSets: negotiated.video.media.parameterSets[negotiated.video.codec],
  } as const;
  const named = (layer: string) => ({ ...negotiated.video.media, rid: layer });
  const publisher = datapath.openPublisher({
    ...options,
    feed,
    audio: negotiated.audio?.formats[0] ?? null,
    notices: lostSound(offer, negotiated.audio),
    layer: rid === undefined || smallRid === undefined ? null : named(rid),
    claim: () => request.claim(session),
  });
  const openSmall = (full: string, small: string): Simulcast => {
    const low = feed.openLow();
    const second = datapath.openPublisher({
      ...options,
      feed: low,
      audio: null,
      notices: [],
      layer: named(small),
      full: publisher,
      // The session has the feed by now, or is closed.
      claim: () => transport.state === 'connected',
    });
    return new Simulcast({ feed, publisher, rid: full }, { feed: low, publisher: second, rid: small });
  };
  const media = rid === undefined || smallRid === undefined ? publisher : openSmall(rid, smallRid);
  const session = connect(
    { kind: 'receive' },
    {
      kind: 'whip',
      feed: feed.id,
      layer: request.layer,
      select: null,
      peer: request.peer,
      keyId: request.keyId,
      publisherKey: request.publisherKey,
      media,
    },
  );
  return session;
}
