/** Publishes a feed of this machine to another hub by WHIP. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Feed } from '../sfu/feed.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { createSsrc } from '../sfu/viewer.ts';
import { buildPushOffer, PUSH_VIDEO_PAYLOAD_TYPE, pushAudioOf } from './push-offer.ts';
import { type RemoteDraft, RemoteFlow, type RemoteState, type RemoteTarget } from './remote-flow.ts';

/** Short, since a feed must be back within 3 s of the link's return. */
const REQUEST_TIMEOUT_MS = 1500;
const CONNECT_TIMEOUT_MS = 3000;
const READY_POLL_MS = 1000;

/** What a push needs. */
export interface PushOptions {
  readonly config: RemoteTarget;
  readonly feed: Feed;
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onStatus: (status: RemoteState) => void;
}

/** While the feed has nothing to show, no session is opened. */
export function createPush(options: PushOptions): RemoteFlow {
  const { feed } = options;
  return new RemoteFlow({
    ...options,
    doing: 'publishing',
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    whenReady: () => feed.whenReady(READY_POLL_MS),
    draft: (transport, local): RemoteDraft => {
      const tracks = {
        cname: randomBytes(8).toString('hex'),
        streamId: options.config.feed,
        videoSsrc: createSsrc(),
        audioSsrc: createSsrc(),
      };
      const audio = feed.audio === null ? null : pushAudioOf(feed.audio.codec);
      const profileLevelId = feed.video.info?.profileLevelId ?? '42e01f';
      return {
        offer: buildPushOffer(local, tracks, { profileLevelId, audio }),
        open: (answer) => {
          const answered = answer.media.find((media) => media.kind === 'audio' && media.usable);
          const wantsAudio = answered?.direction === 'recvonly' || answered?.direction === 'sendrecv';
          return options.datapath.openViewer({
            ...{ id: `push:${feed.id}`, peer: null, feed, transport, cname: tracks.cname },
            // The bit rate is adapted to what the link carries, which its loss tells.
            steady: true,
            video: { payloadType: PUSH_VIDEO_PAYLOAD_TYPE, ssrc: tracks.videoSsrc },
            audio:
              wantsAudio && audio !== null
                ? { payloadType: audio.payloadType, ssrc: tracks.audioSsrc }
                : null,
          });
        },
      };
    },
  });
}
