import { RTCPeerConnection, useH264 } from 'werift';
import { describeError } from '../../common/errors.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { MediaLink } from './media-link.ts';

/** Whether media arrives, and if not, why. */
export interface SelfViewResult {
  readonly ok: boolean;
  readonly detail: string | null;
}

const caller = { role: 'owner', subject: 'self-view', keyId: null, address: '127.0.0.1' } as const;

/** Views a feed like a browser, by WHEP with ICE and DTLS, until the first media packet. Never rejects. */
export async function viewSelf(media: MediaLink, feed: string, signal: AbortSignal): Promise<SelfViewResult> {
  const peer = new RTCPeerConnection({ iceServers: [], codecs: { video: [useH264()] } });
  let session: string | null = null;
  try {
    const arrived = Promise.withResolvers<void>();
    peer.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(() => arrived.resolve()));
    peer.addTransceiver('video', { direction: 'recvonly' });
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer, signal);
    const { sessionId, answer } = await media.offer('whep', feed, peer.localDescription?.sdp ?? '', caller);
    session = sessionId;
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    await Promise.race([arrived.promise, rejected(signal)]);
    return { ok: true, detail: null };
  } catch (error) {
    return { ok: false, detail: `${feed}: ${describeError(error)}` };
  } finally {
    // A session that is already gone needs no closing.
    if (session !== null)
      await media.close({ kind: 'whep', feed, sessionId: session, caller }).catch(() => {});
    await peer.close();
  }
}

/** Offers contain their candidates: the answer comes at once, and nothing is trickled. */
async function gathered(peer: RTCPeerConnection, signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  peer.iceGatheringStateChange.subscribe((state) => {
    if (state === 'complete') done.resolve();
  });
  if (peer.iceGatheringState === 'complete') done.resolve();
  await Promise.race([done.promise, rejected(signal)]);
}

function rejected(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fail = () => reject(new ApplianceError('MEDIA_UNAVAILABLE', 'no media arrived in time'));
  if (signal.aborted) fail();
  else signal.addEventListener('abort', fail, { once: true });
  return promise;
}
