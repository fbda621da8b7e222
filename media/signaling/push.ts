/** Publishes a feed of this machine to another server by WHIP: a camera's to its hub, and any feed to an output. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { MediaTransport } from '../datapath/datapath.ts';
import { codecNames } from '../rtp/video-payload.ts';
import type { Feed } from '../sfu/feed.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { createSsrc } from '../sfu/viewer.ts';
import { offeredAudio } from './audio-format.ts';
import type { LocalSide } from './local-side.ts';
import type { Offer } from './offer.ts';
import { outputViewer } from './output-viewer.ts';
import { outputWords } from './output-words.ts';
import { buildPushOffer, PUSH_VIDEO_PAYLOAD_TYPE } from './push-offer.ts';
import {
  type RemoteDraft,
  RemoteFlow,
  type RemoteFlowOptions,
  type RemoteMedia,
  type RemoteState,
  type RemoteTarget,
} from './remote-flow.ts';
import { foreignPace, hubPace } from './retry-pause.ts';
import { HubError } from './whip-client.ts';

const READY_POLL_MS = 1000;

/** What a push needs. */
export interface PushOptions {
  readonly config: RemoteTarget;
  readonly feed: Feed;
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onStatus: (status: RemoteState) => void;
}

/** How a hub and a server of others are treated. */
type Manner = Pick<
  RemoteFlowOptions,
  'requestTimeoutMs' | 'connectTimeoutMs' | 'pace' | 'foreign' | 'explain'
> & {
  /** Id among the viewers of the feed. */
  readonly id: string;
  /** See SinkOptions. */
  readonly steady: boolean;
};

/** To the hub. While the feed has nothing to show, no session is opened. */
export function createPush(options: PushOptions): RemoteFlow {
  return createFlow(options, {
    id: `push:${options.feed.id}`,
    // Short, since a feed must be back within 3 s of the link's return.
    requestTimeoutMs: 1500,
    connectTimeoutMs: 3000,
    pace: hubPace,
    foreign: false,
    // The bit rate is adapted to what the link carries, which its loss shows.
    steady: true,
  });
}

/** To a server of others, which gets the feed like a viewer: what it cannot take is left out, and no one else notices. */
export function createOutput(options: PushOptions & { readonly output: string }): RemoteFlow {
  return createFlow(options, {
    id: outputViewer(options.output, options.feed.id),
    requestTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    pace: foreignPace,
    foreign: true,
    explain: (error) => outputWords(error, options.config),
    steady: false,
  });
}

function createFlow(options: PushOptions, { id, steady, ...manner }: Manner): RemoteFlow {
  const { feed } = options;
  return new RemoteFlow({
    ...options,
    ...manner,
    doing: 'publishing',
    whenReady: () => feed.whenReady(READY_POLL_MS),
    draft: (transport, local) => draftOf(options, { id, steady }, transport, local),
  });
}

function draftOf(
  { feed, config, datapath }: PushOptions,
  { id, steady }: Pick<Manner, 'id' | 'steady'>,
  transport: MediaTransport,
  local: LocalSide,
): RemoteDraft {
  const tracks = {
    cname: randomBytes(8).toString('hex'),
    streamId: config.feed,
    videoSsrc: createSsrc(),
    audioSsrc: createSsrc(),
  };
  const sound = feed.audio?.codec ?? null;
  const audio = offeredAudio.find(({ codec }) => codec === sound) ?? null;
  const video = feed.video.info;
  const open = (answer: Offer): RemoteMedia => {
    if (!takes(answer, 'video')) {
      const sent = video?.codec ?? 'h264';
      const hubCode = `NO_${sent.toUpperCase()}`;
      throw new HubError('HUB_ANSWER', `the server does not accept ${codecNames[sent]}`, {
        status: 422,
        hubCode,
      });
    }
    const viewer = datapath.openViewer({
      id,
      peer: null,
      feed,
      transport,
      cname: tracks.cname,
      steady,
      video: { payloadType: PUSH_VIDEO_PAYLOAD_TYPE, ssrc: tracks.videoSsrc },
      audio:
        audio !== null && takes(answer, 'audio')
          ? { payloadTypes: new Map([[audio.codec, audio.payloadType]]), ssrc: tracks.audioSsrc }
          : null,
    });
    return {
      tick: (nowMs) => viewer.tick(nowMs),
      close: () => viewer.close(),
      // Sound that comes later, or in another codec, needs a description of its own.
      get outdated() {
        return (feed.audio?.codec ?? sound) !== sound;
      },
    };
  };
  return { offer: buildPushOffer(local, tracks, { video, audio }), open };
}

function takes(answer: Offer, kind: 'video' | 'audio'): boolean {
  const media = answer.media.find((one) => one.kind === kind && one.usable);
  return media?.direction === 'recvonly' || media?.direction === 'sendrecv';
}
