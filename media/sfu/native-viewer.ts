import { type Handle, type NativeEvent, NativeEventType } from '../datapath/native/native-binding.ts';
import type { NativeCore } from '../datapath/native/native-core.ts';
import type { SinkRow } from '../datapath/native/native-snapshot.ts';
import type { NativeTransport } from '../datapath/native/native-transport.ts';
import type { FeedLayer, FeedViewer } from './feed-port.ts';
import type { ViewerStats } from './feed-stats.ts';
import { nativeAudio, nativeVideo } from './native-tracks.ts';
import { RateMeter } from './rate-meter.ts';
import type { SentStream, ViewerOptions } from './viewer.ts';

/** A publisher that makes keyframes on request does so within about this time; then an old one has to do. */
export const KEYFRAME_PATIENCE_MS = 150;

/** What a viewer needs. */
export interface NativeViewerOptions extends Omit<ViewerOptions, 'transport'> {
  readonly core: NativeCore;
  readonly transport: NativeTransport;
}

/** Somebody who gets a feed from the native datapath: who starts when is decided here, packets and repairs are there. */
export class NativeViewer implements FeedViewer {
  readonly id: string;
  readonly #options: NativeViewerOptions;
  readonly #video: Handle;
  #audio: Handle | null;
  readonly #rate = new RateMeter();
  readonly #repairRate = new RateMeter();
  /** What it gets, or goes over to. */
  #layer: FeedLayer;
  #paused = false;
  #suspended = false;
  #released = false;

  constructor(options: NativeViewerOptions) {
    this.id = options.id;
    this.#options = options;
    const { feed, transport, video } = options;
    this.#layer = feed;
    this.#video = this.#open(nativeVideo(feed.video).handle, video);
    this.#audio = this.#openAudio();
    transport.events.on('state', (state) => {
      if (state === 'connected') this.#start();
      if (state === 'closed') this.#release();
    });
    feed.viewers.add(this);
  }

  close(): void {
    this.#options.transport.close();
    this.#release();
  }

  hear(): void {
    if (this.#audio !== null || this.#released) return;
    this.#audio = this.#openAudio();
    const { core, transport } = this.#options;
    if (this.#audio === null || transport.state !== 'connected' || this.#suspended) return;
    core.calls.join(this.#audio, 0, 0);
  }

  view(layer: FeedLayer): void {
    if (layer === this.#layer) return;
    this.#layer = layer;
    const { handle } = nativeVideo(layer.video);
    this.#options.core.calls.moveSink(this.#video, handle, layer.freshKeyframeMs, KEYFRAME_PATIENCE_MS);
    if (!this.#paused) layer.freshenKeyframe(performance.now());
  }

  get paused(): boolean {
    return this.#paused;
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    const { transport, core } = this.#options;
    if (transport.state !== 'connected') return;
    if (paused) core.calls.pause(this.#video);
    else if (!this.#suspended) this.#startVideo();
  }

  tick(nowMs: number): void {
    const { transport } = this.#options;
    if (transport.state !== 'connected') return;
    const [video, audio] = this.#rows();
    this.#rate.sample((video?.octets ?? 0) + (audio?.octets ?? 0), nowMs);
    this.#repairRate.sample((video?.retransmittedOctets ?? 0) + (audio?.retransmittedOctets ?? 0), nowMs);
    const { quiet } = transport;
    // A viewer that does not answer gets nothing until it is back; then it starts again with a keyframe.
    if (quiet && !this.#suspended) this.#pause();
    else if (!quiet && this.#suspended) this.#start();
    this.#suspended = quiet;
  }

  stats(): ViewerStats {
    const [video, audio] = this.#rows();
    return {
      id: this.id,
      peer: this.#options.peer,
      connected: this.#options.transport.state === 'connected',
      layer: this.#layer.layer,
      paused: this.#paused,
      bitrateKbps: Math.round((this.#rate.perSecond * 8) / 1000),
      repairKbps: Math.round((this.#repairRate.perSecond * 8) / 1000),
      lossRatio: video?.lossRatio ?? null,
      rttMs: video?.rttMs ?? null,
      retransmitted: (video?.retransmitted ?? 0) + (audio?.retransmitted ?? 0),
      retransmitsRefused: (video?.retransmitsRefused ?? 0) + (audio?.retransmitsRefused ?? 0),
      skippedFrames: video?.skippedFrames ?? 0,
    };
  }

  #rows(): [SinkRow | null, SinkRow | null] {
    const { statistics } = this.#options.core;
    return [statistics.sink(this.#video), this.#audio === null ? null : statistics.sink(this.#audio)];
  }

  #openAudio(): Handle | null {
    const { feed, audio } = this.#options;
    const payloadType = feed.audio === null ? undefined : audio?.payloadTypes.get(feed.audio.codec);
    if (feed.audio === null || audio === null || payloadType === undefined) return null;
    return this.#open(nativeAudio(feed.audio).handle, { ssrc: audio.ssrc, payloadType });
  }

  #open(track: Handle, { ssrc, payloadType, repair }: SentStream): Handle {
    const { core, transport, steady, cname } = this.#options;
    const handle = core.take((event) => this.#receive(event));
    core.calls.openSink(
      handle,
      track,
      transport.handle,
      ssrc,
      payloadType,
      steady,
      cname,
      repair?.ssrc ?? 0,
      repair?.payloadType ?? 0,
    );
    return handle;
  }

  #receive([type]: NativeEvent): void {
    if (type === NativeEventType.VIEWER_NEEDS_KEYFRAME) this.#layer.requestKeyframe();
  }

  #start(): void {
    if (!this.#paused) this.#startVideo();
    if (this.#audio !== null) this.#options.core.calls.join(this.#audio, 0, 0);
  }

  #startVideo(): void {
    this.#options.core.calls.join(this.#video, this.#layer.freshKeyframeMs, KEYFRAME_PATIENCE_MS);
    this.#layer.freshenKeyframe(performance.now());
  }

  #pause(): void {
    const { core } = this.#options;
    core.calls.pause(this.#video);
    if (this.#audio !== null) core.calls.pause(this.#audio);
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    const { core, feed } = this.#options;
    for (const handle of [this.#video, this.#audio]) {
      if (handle === null) continue;
      core.calls.closeSink(handle);
      core.release(handle);
    }
    feed.viewers.delete(this);
  }
}
