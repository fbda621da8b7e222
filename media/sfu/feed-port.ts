/**
 * What a feed and those who fill and view it know of each other. Feed, publishers, viewers and both media planes import this; it
 * imports none of them.
 */
import type { VideoInfo } from '../rtp/video-payload.ts';
import type { AudioCodec } from './audio-codec.ts';
import type { PublisherInfo, ViewerStats } from './feed-stats.ts';
import type { LayerName } from './layer.ts';

/** A feed's picture, as the feed sees it. */
export interface FeedVideo extends Disposable {
  /** Geometry and profile of the newest parameter set; null before the first. */
  readonly info: VideoInfo | null;
  readonly frames: number;
  readonly octets: number;
  /** performance.now() of the newest frame's first packet. */
  readonly lastFrameMs: number | null;
  readonly keyframeMs: number | null;
  /** The newest keyframe and what follows it is kept. */
  readonly keyframeKept: boolean;
  /** Frames are sent in another order than they are shown. */
  readonly reorders: boolean;
  /** Another publisher sends from now on: its packets, and the parameter sets they need, must be learnt. */
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

/** What delivers a feed's packets. */
export interface FeedSource {
  readonly info: PublisherInfo;
  /** True while the source is connected, or sends. */
  readonly present: boolean;
  readonly packetsLost: number;
  /** Packets of the picture that were sent, those that were lost among them. */
  readonly packetsExpected: number;
  /** From capture to arrival by the source's own clock; null if it does not say. */
  readonly captureDelayMs: number | null;
  /** What of it cannot be passed on, in words. */
  readonly notices: readonly string[];
  /** Asks for a keyframe; false if the source cannot be asked. */
  requestKeyframe(): boolean;
}

/** Receives what one WebRTC peer sends; see `publisher.ts`. */
export interface FeedPublisher extends FeedSource {
  /** Of several layers that the peer sends, takes this one from now on. */
  takeLayer(rid: string): void;
  /** Called a few times a second. */
  tick(nowMs: number): void;
  close(): void;
}

/** What gets a feed's packets. */
export interface FeedViewer {
  readonly id: string;
  /** The feed has sound since now: who came before it gets it as well, in a codec that was agreed. */
  hear(): void;
  readonly paused: boolean;
  stats(): ViewerStats;
  /** Changes to another layer of its feed at a keyframe of that layer; until then the current one continues. */
  view(layer: FeedLayer): void;
  /** A paused viewer gets no picture; it starts again with a keyframe. Its sound continues. */
  setPaused(paused: boolean): void;
  /** Called a few times a second. */
  tick(nowMs: number): void;
  close(): void;
}

/** One layer of a feed, as its viewers see it. */
export interface FeedLayer {
  readonly layer: LayerName;
  readonly video: FeedVideo;
  /** How old a cached keyframe may be that a joining viewer starts with, in milliseconds. */
  readonly freshKeyframeMs: number;
  requestKeyframe(): void;
  /** Asks for a new keyframe if a viewer that joins now would begin with an old one. */
  freshenKeyframe(nowMs: number): void;
  /** Where a joining viewer starts: the cached keyframe, or null if it has to wait for a new one. */
  joinPoint(nowMs: number, keyframe: number | null): number | null;
}

/** A feed as publishers, viewers, ingests and taps see it. */
export interface FeedPort extends FeedLayer {
  readonly id: string;
  readonly audio: FeedAudio | null;
  readonly source: FeedSource | null;
  readonly viewers: Set<FeedViewer>;
  /** Publishers that have agreed to come and are not connected yet: none of them has the feed. */
  readonly expected: Set<FeedSource>;
  /** The feed has sound from now on. */
  openAudio(codec: AudioCodec): FeedAudio;
  /** `source` publishes from now on. */
  setSource(source: FeedSource): void;
  /** Takes the source away, unless another one has replaced it already. */
  removeSource(source: FeedSource): void;
}
