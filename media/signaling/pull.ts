/** Copies a feed of another server by WHEP: the mirror image of a push. */
import type { Logger } from 'pino';
import type { MediaTransport } from '../datapath/datapath.ts';
import type { VideoCodec } from '../rtp/video-payload.ts';
import type { Feed } from '../sfu/feed.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import type { PublisherSections } from '../sfu/publisher-sections.ts';
import type { Proposal } from './agree.ts';
import { buildAnswer } from './answer.ts';
import type { AudioFormat } from './audio-format.ts';
import { offeredAudio } from './audio-format.ts';
import { inModeOne } from './h264-profile.ts';
import { choosePublisherH265 } from './h265-profile.ts';
import type { LocalSide } from './local-side.ts';
import { negotiatePublisher, sectionsOf, transportExtensionOf } from './negotiate.ts';
import type { MediaOffer, Offer } from './offer.ts';
import { buildPullOffer } from './pull-offer.ts';
import {
  type Accepted,
  RemoteFlow,
  type RemoteMedia,
  type RemoteState,
  type RemoteTarget,
} from './remote-flow.ts';
import { hubPace } from './retry-pause.ts';
import { HubError } from './whip-client.ts';

const REQUEST_TIMEOUT_MS = 3000;
const CONNECT_TIMEOUT_MS = 5000;
/** A session whose media never comes, or no longer comes, is opened again. */
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
    pace: hubPace,
    foreign: false,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    whenReady: () => Promise.resolve(true),
    draft: (transport, local) => ({
      ...proposalOf(local),
      open: (answer) => receive(options, transport, answer),
      accept: (offer) => accept(options, transport, local, offer),
    }),
  });
}

/** Servers do not say what they have: one that refuses H.264, which every browser plays, is asked for H.265. */
function proposalOf(local: LocalSide): Proposal {
  let codec: VideoCodec = 'h264';
  return {
    offer: buildPullOffer(local),
    instead: ({ status }) => {
      if (status === undefined || !unusable.has(status)) return null;
      codec = 'h265';
      return buildPullOffer(local, { codec });
    },
    another: oneSoundAtATime((sound) => buildPullOffer(local, { codec, sound })),
  };
}

/**
 * A server that agrees to several codecs of sound may send any of them (go2rtc has one and agrees to all); with an offer of one codec it
 * says whether it has that. Each is asked for in turn.
 */
function oneSoundAtATime(offerOf: (sound: AudioFormat) => string): (answer: Offer) => string | null {
  const left = [...offeredAudio];
  let asking = false;
  return (answer) => {
    const sound = soundIn(answer);
    asking ||= sound !== null && sound.audio.length > 1;
    if (!asking || sound?.audio.length === 1) return null;
    const next = left.shift();
    return next === undefined ? null : offerOf(next);
  };
}

/** The section of sound that comes; null if none does. */
function soundIn(answer: Offer): MediaOffer | null {
  const isComing = ({ kind, usable, direction }: MediaOffer): boolean =>
    kind === 'audio' && usable && (direction === 'sendonly' || direction === 'sendrecv');
  return answer.media.find(isComing) ?? null;
}

/** Statuses of servers that have nothing in common with an offer. */
const unusable: ReadonlySet<number> = new Set([400, 406, 415, 422, 500]);

/** Answers an offer of the server, which it makes if it cannot use ours (WHEP draft, section 4.3.2). */
function accept(options: PullOptions, transport: MediaTransport, local: LocalSide, offer: Offer): Accepted {
  const negotiated = negotiatePublisher(offer);
  const answer = buildAnswer(offer, negotiated, { ...local, client: true }, { kind: 'receive' });
  return {
    answer,
    open: () =>
      openFeed(options, transport, {
        codec: negotiated.video.codec,
        videoPayloadType: negotiated.video.format.payloadType,
        audio: negotiated.audio?.formats[0] ?? null,
        repairPayloadType: negotiated.repairPayloadType,
        media: negotiated.video.media,
        sections: sectionsOf(negotiated),
        transportExtension: transportExtensionOf(negotiated),
      }),
  };
}

function receive(options: PullOptions, transport: MediaTransport, answer: Offer): RemoteMedia {
  const video = answer.media.find((media) => media.kind === 'video' && media.usable);
  const [h264] = inModeOne(video?.h264 ?? []);
  const format = h264 ?? choosePublisherH265(video?.h265 ?? []);
  if (video === undefined || format === null)
    throw new HubError('HUB_REFUSED', 'the server has neither H.264 nor H.265 for us', { status: 422 });
  return openFeed(options, transport, {
    codec: h264 === undefined ? 'h265' : 'h264',
    videoPayloadType: format.payloadType,
    audio: soundIn(answer)?.audio[0] ?? null,
    repairPayloadType: null,
    media: video,
    sections: null,
    transportExtension: null,
  });
}

/** What was agreed to, no matter which side made the offer. */
interface Agreed {
  readonly codec: VideoCodec;
  readonly videoPayloadType: number;
  readonly audio: AudioFormat | null;
  readonly repairPayloadType: number | null;
  readonly sections: PublisherSections | null;
  readonly transportExtension: number | null;
  readonly media: MediaOffer;
}

function openFeed(
  options: PullOptions,
  transport: MediaTransport,
  { media, codec, ...agreed }: Agreed,
): RemoteMedia {
  const { config, feed, logger, maxBitrateKbps } = options;
  const publisher = options.datapath.openPublisher({
    kind: 'pull',
    sessionId: null,
    peer: config.url,
    feed,
    transport,
    logger,
    maxBitrateKbps,
    ...agreed,
    parameterSets: media.parameterSets[codec],
    notices: [],
    claim: () => true,
    reducedSize: media.reducedSize,
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
