/** A feed's tracks in the native datapath: what is known about them here. */
import {
  type Handle,
  type NativeEvent,
  NativeEventType,
  TrackKind,
} from '../datapath/native/native-binding.ts';
import type { NativeCore } from '../datapath/native/native-core.ts';
import type { TrackRow } from '../datapath/native/native-snapshot.ts';
import { parseVideoInfo, type VideoInfo, videoCodecs } from '../rtp/video-payload.ts';
import { type AudioCodec, audioClockOf } from './audio-codec.ts';
import type { FeedAudio, FeedVideo } from './feed-port.ts';
import { VIDEO_CLOCK_HZ } from './track.ts';
import type { VideoTrackOptions } from './video-track.ts';

class NativeTrack implements Disposable {
  readonly core: NativeCore;
  readonly handle: Handle;

  constructor(core: NativeCore, kind: number, clockRate: number, listener?: (event: NativeEvent) => void) {
    this.core = core;
    this.handle = core.take(listener);
    core.calls.openTrack(this.handle, kind, clockRate);
  }

  get octets(): number {
    return this.row?.octets ?? 0;
  }

  get row(): TrackRow | null {
    return this.core.statistics.track(this.handle);
  }

  beginSource(): void {
    this.core.calls.beginSource(this.handle);
  }

  [Symbol.dispose](): void {
    this.core.calls.closeTrack(this.handle);
    this.core.release(this.handle);
  }
}

/** A feed's sound. */
export class NativeAudioTrack extends NativeTrack implements FeedAudio {
  readonly codec: AudioCodec;

  constructor(core: NativeCore, codec: AudioCodec) {
    super(core, TrackKind.AUDIO, audioClockOf(codec));
    this.codec = codec;
  }
}

/** A feed's picture. */
export class NativeVideoTrack extends NativeTrack implements FeedVideo {
  readonly #options: VideoTrackOptions;
  #info: VideoInfo | null = null;
  /** What an event reported; the statistics follow a moment later. */
  #lastFrameMs: number | null = null;
  #keyframeMs: number | null = null;

  constructor(core: NativeCore, options: VideoTrackOptions) {
    super(core, TrackKind.VIDEO, VIDEO_CLOCK_HZ, (event) => this.#receive(event));
    this.#options = options;
  }

  get info(): VideoInfo | null {
    return this.#info;
  }

  get frames(): number {
    return this.row?.frames ?? 0;
  }

  get lastFrameMs(): number | null {
    return later(this.row?.lastFrameMs ?? null, this.#lastFrameMs);
  }

  get keyframeMs(): number | null {
    return this.#keyframeMs;
  }

  get keyframeKept(): boolean {
    return this.row?.hasKeyframe ?? false;
  }

  get reorders(): boolean {
    return this.row?.reorders ?? false;
  }

  setParameterSets(nals: readonly Buffer[]): void {
    for (const nal of nals) this.core.calls.setParameterSet(this.handle, nal);
  }

  #receive([type, , bytes, codec]: NativeEvent): void {
    switch (type) {
      case NativeEventType.PARAMETER_SET:
        this.#info = parseVideoInfo(videoCodecs[codec] ?? 'h264', bytes) ?? this.#info;
        break;
      case NativeEventType.PICTURE:
        this.#lastFrameMs = performance.now();
        this.#options.onFrame();
        break;
      case NativeEventType.KEYFRAME:
        this.#keyframeMs = performance.now();
        this.#options.onKeyframe();
        break;
      case NativeEventType.KEYFRAME_NEEDED:
        this.#options.onKeyframeNeeded();
        break;
      default:
        break;
    }
  }
}

/** The native track behind a feed's picture. Throws for a track of another plane. */
export function nativeVideo(video: FeedVideo): NativeVideoTrack {
  if (!(video instanceof NativeVideoTrack)) throw new TypeError('track of another plane');
  return video;
}

/** The native track behind a feed's sound. Throws for a track of another plane. */
export function nativeAudio(audio: FeedAudio): NativeAudioTrack {
  if (!(audio instanceof NativeAudioTrack)) throw new TypeError('track of another plane');
  return audio;
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
