/** The part that sessions of publishers (RFC 9725) and viewers (WHEP draft, section 4.2) have in common. */
import type { Logger } from 'pino';
import type { MediaTransport } from '../datapath/datapath.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { type AnswerDirection, buildAnswer } from './answer.ts';
import { MediaSession, type MediaSessionParts } from './media-session.ts';
import type { Negotiated } from './negotiate.ts';
import type { Offer } from './offer.ts';
import { SignalingSession } from './session.ts';
import { openSharedTransport } from './shared-transport.ts';

/** What opening a session needs. */
export interface SessionContext {
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onConnected: () => void;
  readonly onClosed: (session: MediaSession, reason: string) => void;
}

/** An offer with a transport of its own, which is not connected yet. */
export interface AcceptedOffer<T extends MediaTransport> {
  readonly transport: T;
  readonly signaling: SignalingSession;
  /** Connects the transport to the peer, answers, and reports the session's state to the context. */
  connect(
    direction: AnswerDirection,
    parts: Omit<MediaSessionParts, 'answer' | 'transport' | 'signaling'>,
  ): MediaSession;
}

/** Opens a transport for an offer. Throws SignalingError. */
export async function acceptOffer(context: SessionContext, offer: Offer, negotiated: Negotiated) {
  const { datapath } = context;
  const transport = await openSharedTransport(datapath);
  const signaling = new SignalingSession(transport, offer);
  return {
    transport,
    signaling,
    connect(direction, parts) {
      transport.connect({
        ...offer.ice,
        candidates: offer.candidates,
        fingerprints: offer.fingerprints,
        dtlsRole: offer.setup === 'passive' ? 'client' : 'server',
      });
      const { local: ice, candidates } = transport;
      const answer = buildAnswer(
        offer,
        negotiated,
        { ice, candidates, fingerprint: datapath.fingerprint },
        direction,
      );
      const session = new MediaSession({ ...parts, answer, transport, signaling });
      transport.events.on('state', (state, reason) => {
        if (state === 'connected') context.onConnected();
        if (state === 'closed') context.onClosed(session, reason ?? 'closed');
      });
      return session;
    },
  } satisfies AcceptedOffer<typeof transport>;
}
