/** Takes in what a WebRTC peer sends, in the native datapath: feedback and repairs are asked for there. */
import { type Handle, type NativeEvent, NativeEventType } from '../datapath/native-binding.ts';
import type { NativeCore } from '../datapath/native-core.ts';
import type { NativeTransport } from '../datapath/native-transport.ts';
import type { PublisherInfo } from './feed-stats.ts';
import type { FeedPublisher } from './media-plane.ts';
import { nativeAudio, nativeVideo } from './native-tracks.ts';
import type { PublisherOptions } from './publisher.ts';

export interface NativePublisherOptions extends Omit<PublisherOptions, 'transport'> {
  readonly core: NativeCore;
  readonly transport: NativeTransport;
}

export class NativePublisher implements FeedPublisher {
  readonly info: PublisherInfo;
  readonly #options: NativePublisherOptions;
  readonly #handle: Handle;
  /** A packet came, whose SSRC a request has to name. */
  #began = false;
  #released = false;

  constructor(options: NativePublisherOptions) {
    this.#options = options;
    const { core, kind, feed, transport, sessionId, peer, videoPayloadType, audioPayloadType } = options;
    this.info = { kind, sessionId, peer, sinceMs: Date.now() };
    this.#handle = core.take((event) => this.#receive(event));
    const video = nativeVideo(feed.video);
    const audio = audioPayloadType === null ? null : nativeAudio(feed.openAudio());
    core.calls.openSource(
      this.#handle,
      transport.handle,
      video.handle,
      audio?.handle ?? 0,
      videoPayloadType,
      audioPayloadType ?? -1,
      -1,
      options.maxBitrateKbps * 1000,
      false,
      false,
    );
    transport.events.on('state', (state) => {
      if (state === 'connected') feed.requestKeyframe();
      if (state === 'closed') this.#release();
    });
    feed.setSource(this);
  }

  get present(): boolean {
    return this.#options.transport.state === 'connected';
  }

  get packetsLost(): number {
    return this.#options.core.statistics.source(this.#handle)?.packetsLost ?? 0;
  }

  get captureDelayMs(): number | null {
    return this.#options.core.statistics.source(this.#handle)?.captureDelayMs ?? null;
  }

  requestKeyframe(): boolean {
    if (!this.present || !this.#began) return false;
    this.#options.core.calls.requestKeyframe(this.#handle);
    return true;
  }

  /** Reports leave by themselves. */
  tick(): void {}

  close(): void {
    this.#options.transport.close();
    this.#release();
  }

  #receive([type]: NativeEvent): void {
    if (type === NativeEventType.SOURCE_BEGAN) this.#began = true;
    if (type === NativeEventType.SOURCE_NEEDS_KEYFRAME) this.#options.feed.requestKeyframe();
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    const { core, feed } = this.#options;
    core.calls.closeSource(this.#handle);
    core.release(this.#handle);
    feed.removeSource(this);
  }
}
