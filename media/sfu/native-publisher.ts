import { type Handle, type NativeEvent, NativeEventType } from '../datapath/native/native-binding.ts';
import type { NativeCore } from '../datapath/native/native-core.ts';
import type { SourceRow } from '../datapath/native/native-snapshot.ts';
import { openNativeSource } from '../datapath/native/native-source.ts';
import type { NativeTransport } from '../datapath/native/native-transport.ts';
import type { FeedPublisher } from './feed-port.ts';
import type { PublisherInfo } from './feed-stats.ts';
import { nativeAudio, nativeVideo } from './native-tracks.ts';
import type { PublisherOptions } from './publisher.ts';

/** What a publisher needs. */
export interface NativePublisherOptions extends Omit<PublisherOptions, 'transport'> {
  readonly core: NativeCore;
  readonly transport: NativeTransport;
}

/** Receives what a WebRTC peer sends, in the native datapath, which also requests feedback and repairs. */
export class NativePublisher implements FeedPublisher {
  readonly info: PublisherInfo;
  readonly #options: NativePublisherOptions;
  /** Null before it has the feed, and after its end. */
  #handle: Handle | null = null;
  /** A packet came, whose SSRC a request has to name. */
  #began = false;
  #rid: string | null;

  constructor(options: NativePublisherOptions) {
    this.#options = options;
    this.#rid = options.layer?.rid ?? null;
    const { kind, feed, transport, sessionId, peer } = options;
    this.info = { kind, sessionId, peer, sinceMs: Date.now() };
    transport.events.on('state', (state) => {
      if (state === 'connected') this.#connected();
      if (state === 'closed') this.#release();
    });
    feed.expected.add(this);
  }

  get present(): boolean {
    return this.#options.transport.state === 'connected';
  }

  get packetsLost(): number {
    return this.#row?.packetsLost ?? 0;
  }

  get packetsExpected(): number {
    return this.#row?.packetsExpected ?? 0;
  }

  get captureDelayMs(): number | null {
    return this.#row?.captureDelayMs ?? null;
  }

  get notices(): readonly string[] {
    return this.#options.notices;
  }

  requestKeyframe(): boolean {
    if (this.#handle === null || !this.present || !this.#began) return false;
    this.#options.core.calls.requestKeyframe(this.#handle);
    return true;
  }

  takeLayer(rid: string): void {
    this.#rid = rid;
    if (this.#handle !== null) this.#nameLayer(this.#handle);
  }

  /** Reports leave by themselves. */
  tick(): void {}

  close(): void {
    this.#options.transport.close();
    this.#release();
  }

  get #row(): SourceRow | null {
    return this.#handle === null ? null : this.#options.core.statistics.source(this.#handle);
  }

  #connected(): void {
    const { claim, core, feed, transport, logger, parameterSets } = this.#options;
    if (!claim()) {
      logger.warn({ feed: feed.id, peer: this.info.peer }, 'a publisher was sent away: the feed has another');
      transport.close();
      return;
    }
    this.#handle = core.take((event) => this.#receive(event));
    feed.setSource(this);
    feed.expected.delete(this);
    feed.video.setParameterSets(parameterSets);
    // Last, because its first packets are here already and begin the feed's new source.
    this.#open(this.#handle);
    feed.requestKeyframe();
  }

  #open(handle: Handle): void {
    const { audio, core, feed, layer, transport } = this.#options;
    const { maxBitrateKbps, reducedSize, repairPayloadType, sections, transportExtension } = this.#options;
    openNativeSource(core.calls, handle, {
      session: transport.handle,
      video: nativeVideo(feed.video).handle,
      audio: audio === null ? undefined : nativeAudio(feed.openAudio(audio.codec)).handle,
      payloadTypes: {
        video: this.#options.videoPayloadType,
        audio: audio?.payloadType,
        repair: repairPayloadType ?? undefined,
      },
      bitsPerSecond: maxBitrateKbps * 1000,
      reducedSize,
      sections: sections ?? undefined,
      isLayer: layer != null && this.#rid !== null,
      transportExtension: transportExtension ?? undefined,
    });
    this.#nameLayer(handle);
  }

  #nameLayer(handle: Handle): void {
    const { core, full, layer } = this.#options;
    if (layer == null || this.#rid === null) return;
    const { ridExtension, repairedRidExtension } = layer;
    const other = full instanceof NativePublisher ? full.#handle : null;
    core.calls.nameLayer(handle, this.#rid, ridExtension ?? -1, repairedRidExtension ?? -1, other ?? 0);
  }

  #receive([type]: NativeEvent): void {
    if (type === NativeEventType.SOURCE_BEGAN) this.#began = true;
    if (type === NativeEventType.SOURCE_NEEDS_KEYFRAME) this.#options.feed.requestKeyframe();
  }

  #release(): void {
    const { core, feed } = this.#options;
    feed.expected.delete(this);
    if (this.#handle === null) return;
    core.calls.closeSource(this.#handle);
    core.release(this.#handle);
    this.#handle = null;
    feed.removeSource(this);
  }
}
