/** Publisher sessions (RFC 9725). */

import type { Feed } from '../sfu/feed.ts';
import { buildAnswer } from './answer.ts';
import { MediaSession } from './media-session.ts';
import { negotiatePublisher } from './negotiate.ts';
import { parseOffer } from './offer.ts';
import { SignalingSession } from './session.ts';
import type { SessionContext } from './whep.ts';

export interface PublisherRequest {
  readonly sdp: string;
  readonly peer: string | null;
  readonly keyId: string | null;
  readonly publisherKey: string | null;
  readonly maxBitrateKbps: number;
  /** The session whose place this one takes; closed once the new offer proved acceptable. */
  readonly replaces: MediaSession | null;
}

/** Opens a session on a free feed. Throws SignalingError. */
export async function openPublisherSession(
  context: SessionContext,
  feed: Feed,
  request: PublisherRequest,
): Promise<MediaSession> {
  const offer = parseOffer(request.sdp);
  const negotiated = negotiatePublisher(offer);
  const { datapath, logger } = context;
  const transport = await datapath.openTransport('lite');
  request.replaces?.close();
  const signaling = new SignalingSession(transport, offer.ice.ufrag);
  feed.video.setParameterSets(negotiated.video.media.parameterSets);
  const publisher = datapath.openPublisher({
    kind: 'whip',
    sessionId: signaling.id,
    peer: request.peer,
    feed,
    transport,
    logger,
    videoPayloadType: negotiated.video.format.payloadType,
    audioPayloadType: negotiated.audio?.payloadType ?? null,
    maxBitrateKbps: request.maxBitrateKbps,
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
    if (state === 'closed') context.onClosed(session, reason ?? 'closed');
  });
  return session;
}
