/** Publisher sessions (RFC 9725). */

import type { Feed } from '../sfu/feed.ts';
import type { LayerName } from '../sfu/layer.ts';
import { buildAnswer } from './answer.ts';
import { MediaSession } from './media-session.ts';
import { lostSound, negotiatePublisher, sectionsOf } from './negotiate.ts';
import { parseOffer } from './offer.ts';
import { SignalingSession } from './session.ts';
import { openSharedTransport } from './shared-transport.ts';
import { Simulcast, takenLayers } from './simulcast.ts';
import type { SessionContext } from './whep.ts';

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
  const transport = await openSharedTransport(datapath);
  const signaling = new SignalingSession(transport, offer);
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
  transport.connect({
    ...offer.ice,
    candidates: offer.candidates,
    fingerprints: offer.fingerprints,
    dtlsRole: offer.setup === 'passive' ? 'client' : 'server',
  });
  const local = { ice: transport.local, candidates: transport.candidates, fingerprint: datapath.fingerprint };
  const session = new MediaSession({
    kind: 'whip',
    feed: feed.id,
    layer: request.layer,
    select: null,
    peer: request.peer,
    keyId: request.keyId,
    publisherKey: request.publisherKey,
    answer: buildAnswer(offer, negotiated, local, { kind: 'receive' }),
    transport,
    signaling,
    media,
  });
  transport.events.on('state', (state, reason) => {
    if (state === 'connected') context.onConnected();
    if (state === 'closed') context.onClosed(session, reason ?? 'closed');
  });
  return session;
}
