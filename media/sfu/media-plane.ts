/**
 * The seam between what decides and what moves packets. The SFU's policy (feeds, sessions, who starts when) is above;
 * below are two implementations: one in JavaScript (`node-plane.ts`), and a native one that no packet leaves
 * (`native-plane.ts`). Both pass `media-plane.e2e.test.ts`.
 */
import type { Datapath, MediaTransport, PacketOutlet } from '../datapath/datapath.ts';
import type { SpsInfo } from '../rtp/h264-sps.ts';
import type { AudioCodec } from './audio-codec.ts';
import type { Feed, FeedSource } from './feed.ts';
import type { IngestOptions } from './ingest.ts';
import type { PublisherOptions } from './publisher.ts';
import type { VideoTrackOptions } from './video-track.ts';
import type { FeedViewer, ViewerOptions } from './viewer.ts';

/** A feed's H.264 track, as the feed sees it. */
export interface FeedVideo extends Disposable {
  /** Geometry and profile of the newest parameter set; null before the first. */
  readonly info: SpsInfo | null;
  readonly frames: number;
  readonly octets: number;
  /** performance.now() of the newest frame's first packet. */
  readonly lastFrameMs: number | null;
  readonly keyframeMs: number | null;
  /** The newest keyframe and what follows it is remembered. */
  readonly keyframeKept: boolean;
  /** Frames are sent in another order than they are shown. */
  readonly reorders: boolean;
  /** Another publisher sends from now on: what its packets look like, and which sets they need, has to be learnt. */
  beginSource(): void;
  /** Parameter sets that the publisher gave in its SDP. */
  setParameterSets(nals: readonly Buffer[]): void;
}

/** A feed's sound. */
export interface FeedAudio extends Disposable {
  readonly codec: AudioCodec;
  /** Another publisher sends from now on, whatever its packets look like. */
  beginSource(): void;
  readonly octets: number;
}

/** Takes in what one WebRTC peer sends; see Publisher. */
export interface FeedPublisher extends FeedSource {
  /** Called a few times a second. */
  tick(nowMs: number): void;
  close(): void;
}

/** Options as the layers above know them: transports are of the plane's own kind. */
export type PlaneOptions<Options extends { readonly transport: MediaTransport }> = Omit<
  Options,
  'transport'
> & {
  readonly transport: MediaTransport;
};

export interface MediaPlane extends Datapath {
  openVideo(events: VideoTrackOptions): FeedVideo;
  openAudio(codec: AudioCodec): FeedAudio;
  openPublisher(options: PlaneOptions<PublisherOptions>): FeedPublisher;
  openViewer(options: PlaneOptions<ViewerOptions>): FeedViewer;
  /** Rejects with the system's error where a port is taken. */
  openIngest(options: IngestOptions): Promise<AsyncDisposable>;
  /** Hands a feed's packets to a reader of this machine, from the newest keyframe on. */
  openTap(feed: Feed, outlet: PacketOutlet): Disposable;
}
