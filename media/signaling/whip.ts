/** Publisher sessions (RFC 9725). */

import type { Feed } from '../sfu/feed.ts';
import { buildAnswer } from './answer.ts';
import { MediaSession } from './media-session.ts';
import { lostSound, negotiatePublisher } from './negotiate.ts';
import { parseOffer } from './offer.ts';
import { SignalingSession } from './session.ts';
import type { SessionContext } from './whep.ts';

/** What a publisher asks for. */
export interface PublisherRequest {
  readonly sdp: string;
  readonly peer: string | null;
  readonly keyId: string | null;
  readonly publisherKey: string | null;
  readonly maxBitrateKbps: number;
  /** See PublisherOptions. */
  readonly claim: (session: MediaSession) => boolean;
}

/** Opens a session; it has the feed once it is connected. Throws SignalingError. */
export async function openPublisherSession(
  context: SessionContext,
  feed: Feed,
  request: PublisherRequest,
): Promise<MediaSession> {
  const offer = parseOffer(request.sdp);
  const negotiated = negotiatePublisher(offer);
  const { datapath, logger } = context;
  const transport = await datapath.openTransport('lite');
  const signaling = new SignalingSession(transport, offer.ice.ufrag);
  const publisher = datapath.openPublisher({
    kind: 'whip',
    sessionId: signaling.id,
    peer: request.peer,
    feed,
    transport,
    logger,
    videoPayloadType: negotiated.video.format.payloadType,
    audio: negotiated.audio?.format ?? null,
    repairPayloadType: negotiated.repairPayloadType,
    reducedSize: negotiated.video.media.reducedSize,
    maxBitrateKbps: request.maxBitrateKbps,
    parameterSets: negotiated.video.media.parameterSets,
    notices: lostSound(offer, negotiated.audio),
    claim: () => request.claim(session),
  });
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
    peer: request.peer,
    keyId: request.keyId,
    publisherKey: request.publisherKey,
    answer: buildAnswer(offer, negotiated, local, { kind: 'receive' }),
    transport,
    signaling,
    media: publisher,
  });
  transport.events.on('state', (state, reason) => {
    if (state === 'connected') context.onConnected();
    if (state === 'closed') context.onClosed(session, reason ?? 'closed');
  });
  return session;
}
