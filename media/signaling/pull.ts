/** Copies a feed of another server by WHEP: the mirror image of a push. */
import type { Logger } from 'pino';
import type { MediaTransport } from '../datapath/datapath.ts';
import type { Feed } from '../sfu/feed.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { inModeOne } from './h264-profile.ts';
import type { Offer } from './offer.ts';
import { buildPullOffer } from './pull-offer.ts';
import { RemoteFlow, type RemoteMedia, type RemoteState, type RemoteTarget } from './remote-flow.ts';
import { HubError } from './whip-client.ts';

const REQUEST_TIMEOUT_MS = 3000;
const CONNECT_TIMEOUT_MS = 5000;
/** A session whose media never comes, or no longer comes, is opened anew. */
const MEDIA_TIMEOUT_MS = 10_000;

/** What a pull needs. */
export interface PullOptions {
  readonly config: RemoteTarget;
  readonly feed: Feed;
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly maxBitrateKbps: number;
  readonly onStatus: (status: RemoteState) => void;
}

/** Makes a pull. It runs until it is disposed of. */
export function createPull(options: PullOptions): RemoteFlow {
  return new RemoteFlow({
    ...options,
    doing: 'pulling a feed',
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    whenReady: () => Promise.resolve(true),
    draft: (transport, local) => ({
      offer: buildPullOffer(local),
      open: (answer) => receive(options, transport, answer),
    }),
  });
}

function receive(options: PullOptions, transport: MediaTransport, answer: Offer): RemoteMedia {
  const { config, feed, logger, maxBitrateKbps } = options;
  const video = answer.media.find((media) => media.kind === 'video' && media.usable);
  const [format] = inModeOne(video?.h264 ?? []);
  if (video === undefined || format === undefined) {
    throw new HubError('HUB_REFUSED', 'the server has no H.264 for us', { status: 422 });
  }
  const audio = answer.media.find((media) => media.kind === 'audio' && media.usable);
  const hasAudio = audio?.direction === 'sendonly' || audio?.direction === 'sendrecv';
  const publisher = options.datapath.openPublisher({
    ...{ kind: 'pull', sessionId: null, peer: config.url, feed, transport, logger, maxBitrateKbps },
    videoPayloadType: format.payloadType,
    parameterSets: video.parameterSets,
    notices: [],
    claim: () => true,
    audio: hasAudio ? (audio.audio[0] ?? null) : null,
    repairPayloadType: null,
    reducedSize: video.reducedSize,
  });
  const sinceMs = performance.now();
  return {
    tick: (nowMs) => {
      publisher.tick(nowMs);
      const heardMs = Math.max(sinceMs, feed.video.lastFrameMs ?? 0);
      if (nowMs - heardMs > MEDIA_TIMEOUT_MS) transport.close('silent');
    },
    close: () => publisher.close(),
  };
}
