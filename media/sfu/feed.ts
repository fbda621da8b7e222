import type { Logger } from 'pino';
import { codecString, type VideoCodec } from '../rtp/video-payload.ts';
import type { AudioCodec } from './audio-codec.ts';
import { noticesOf } from './feed-notices.ts';
import type { FeedAudio, FeedPort, FeedSource, FeedVideo, FeedViewer } from './feed-port.ts';
import type { FeedState, FeedStats, LayerStats } from './feed-stats.ts';
import { KeyframeArbiter } from './keyframe-arbiter.ts';
import type { LayerName } from './layer.ts';
import type { MediaPlane } from './media-plane.ts';
import { RateMeter } from './rate-meter.ts';

/** Without a frame for this long a feed is stalled, whatever else still arrives. */
const STALL_MS = 2000;
/** A cached keyframe older than this is not worth the burst, if the publisher can make a new one. */
const MAX_KEYFRAME_AGE_MS = 3000;
/** What a feed is made of. */
export interface FeedOptions {
  readonly id: string;
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  readonly onState: (feed: Feed, state: FeedState) => void;
  /** Default `high`. The small layer is a feed of its own that belongs to the other one: see `openLow`. */
  readonly layer?: LayerName;
}

/** A named live stream: its tracks, who publishes it and who views it. */
export class Feed implements FeedPort, Disposable {
  readonly id: string;
  readonly layer: LayerName;
  readonly video: FeedVideo;
  readonly viewers = new Set<FeedViewer>();
  /** Publishers that have agreed to come and are not connected yet: none of them has the feed. */
  readonly expected = new Set<FeedSource>();
  readonly #options: FeedOptions;
  readonly #arbiter: KeyframeArbiter;
  readonly #frameRate = new RateMeter();
  readonly #octetRate = new RateMeter();
  readonly #expectedRate = new RateMeter();
  readonly #lostRate = new RateMeter();
  readonly #waiting = new Set<(ready: boolean) => void>();
  /** The layers that its viewers chose; those that chose none get the full one. */
  readonly #wishes = new WeakMap<FeedViewer, LayerName>();
  #low: Feed | null = null;
  #audio: FeedAudio | null = null;
  #source: FeedSource | null = null;
  #state: FeedState = 'offline';
  #codec: VideoCodec | null = null;

  constructor(options: FeedOptions) {
    this.id = options.id;
    this.layer = options.layer ?? 'high';
    this.#options = options;
    this.#arbiter = new KeyframeArbiter({ send: () => this.#source?.requestKeyframe() ?? false });
    this.video = options.datapath.openVideo({
      onKeyframe: () => this.#keyframeArrived(),
      onKeyframeNeeded: () => this.#arbiter.request(),
      onFrame: () => this.#frameArrived(),
    });
  }

  get state(): FeedState {
    return this.#state;
  }

  get source(): FeedSource | null {
    return this.#source;
  }

  /** Somebody publishes, or is about to. */
  get hasPublisher(): boolean {
    return this.#source !== null || this.expected.size > 0 || this.#low?.hasPublisher === true;
  }

  /** The small layer, for those who fill it. It is part of this feed: its viewers are viewers of this feed. */
  openLow(): Feed {
    this.#low ??= new Feed({ ...this.#options, layer: 'low', onState: () => this.#serveWishes() });
    return this.#low;
  }

  /** A viewer chooses a layer, now and for whenever it exists; returns the one that it gets. */
  choose(viewer: FeedViewer, wish: LayerName): LayerName {
    this.#wishes.set(viewer, wish);
    return this.#serve(viewer).layer;
  }

  /** Size of each layer that can be viewed now, largest first. */
  get layers(): readonly LayerStats[] {
    const layers: readonly Feed[] = this.#low === null ? [this] : [this, this.#low];
    return layers.flatMap((feed) => (feed.#flows ? [feed.#layerStats] : []));
  }

  get audio(): FeedAudio | null {
    return this.#audio;
  }

  /** True if a viewer can be served now. */
  get ready(): boolean {
    return this.#flows || (this.#state === 'online' && this.#standIn?.ready === true);
  }

  /** Pictures of this very layer come, and can be joined. */
  get #flows(): boolean {
    const { info, keyframeMs, lastFrameMs } = this.video;
    const fresh = lastFrameMs !== null && performance.now() - lastFrameMs < STALL_MS;
    return this.#state === 'online' && fresh && info !== null && keyframeMs !== null;
  }

  /** The feed has sound from now on. Viewers that negotiated another codec get no sound until they reconnect. */
  openAudio(codec: AudioCodec): FeedAudio {
    if (this.#audio?.codec === codec) return this.#audio;
    this.#audio?.[Symbol.dispose]();
    this.#audio = this.#options.datapath.openAudio(codec);
    for (const viewer of this.viewers) viewer.hear();
    return this.#audio;
  }

  /** `source` publishes from now on. What it says about its tracks before their first packet must be set after this. */
  setSource(source: FeedSource): void {
    this.#source = source;
    this.#arbiter.forget();
    this.video.beginSource();
    this.#audio?.beginSource();
  }

  /** Takes the source away, unless another one has replaced it already. */
  removeSource(source: FeedSource): void {
    if (this.#source !== source) return;
    this.#source = null;
    this.#updateState(performance.now());
  }

  requestKeyframe(): void {
    this.#arbiter.request();
  }

  /** Resolves once the feed can be viewed, or with false after `timeoutMs`. */
  async whenReady(timeoutMs: number): Promise<boolean> {
    if (this.ready) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    this.#waiting.add(resolve);
    const result = await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
    return result;
  }

  /**
   * How old a cached keyframe may be that a joining viewer starts with. A publisher that never made one on request (OBS,
   * most cameras) will not make one for this viewer.
   */
  get freshKeyframeMs(): number {
    return this.#arbiter.isAnswered ? MAX_KEYFRAME_AGE_MS : Number.POSITIVE_INFINITY;
  }

  /** A publisher may agree on sound, as every pull does, and send none. */
  get #soundCame(): boolean {
    return (this.#audio?.octets ?? 0) > 0;
  }

  /** Asks for a new keyframe if a viewer that joins now would begin with an old one. */
  freshenKeyframe(nowMs: number): void {
    const { keyframeMs } = this.video;
    if (keyframeMs === null || nowMs - keyframeMs > MAX_KEYFRAME_AGE_MS) this.#arbiter.request();
  }

  /** Where a joining viewer starts: the cached keyframe, or null if it has to wait for a new one. */
  joinPoint(nowMs: number, keyframe: number | null): number | null {
    const ageMs = nowMs - (this.video.keyframeMs ?? Number.NEGATIVE_INFINITY);
    if (keyframe === null || ageMs > MAX_KEYFRAME_AGE_MS) this.#arbiter.request();
    return keyframe !== null && ageMs <= this.freshKeyframeMs ? keyframe : null;
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    this.#low?.tick(nowMs);
    this.#serveWishes();
    this.#frameRate.sample(this.video.frames, nowMs);
    this.#octetRate.sample(this.video.octets + (this.#audio?.octets ?? 0), nowMs);
    this.#expectedRate.sample(this.#source?.packetsExpected ?? 0, nowMs);
    this.#lostRate.sample(this.#source?.packetsLost ?? 0, nowMs);
    this.#updateState(nowMs);
  }

  stats(nowMs: number): FeedStats {
    const { info } = this.video;
    const live = this.#state !== 'offline';
    return {
      feed: this.id,
      state: this.#state,
      codec: info === null ? null : codecString(info),
      audioCodec: this.#soundCame ? (this.#audio?.codec ?? null) : null,
      width: info?.width ?? null,
      height: info?.height ?? null,
      fps: live ? Math.round(this.#frameRate.perSecond * 10) / 10 : null,
      bitrateKbps: live ? Math.round((this.#octetRate.perSecond * 8) / 1000) : 0,
      framesTotal: this.video.frames,
      reordersFrames: this.video.reorders,
      packetsLost: this.#source?.packetsLost ?? 0,
      lossRatio: this.#lossRatio,
      captureDelayMs: this.#source?.present ? this.#source.captureDelayMs : null,
      keyframeAgeMs: this.video.keyframeMs === null ? null : Math.round(nowMs - this.video.keyframeMs),
      keyframeRequests: this.#arbiter.counts,
      notices: this.#notices(nowMs),
      layers: [...this.layers],
      publisher: this.#source?.present ? this.#source.info : null,
      viewers: [...this.viewers].map((viewer) => viewer.stats()),
    };
  }

  [Symbol.dispose](): void {
    this.#low?.[Symbol.dispose]();
    this.#arbiter[Symbol.dispose]();
    for (const viewer of [...this.viewers]) viewer.close();
    this.video[Symbol.dispose]();
    this.#audio?.[Symbol.dispose]();
    for (const resolve of this.#waiting) resolve(false);
  }

  /** A layer that stops does not take the picture along: its viewers get the other one until it is back. */
  #serve(viewer: FeedViewer): Feed {
    const wished = this.#wishes.get(viewer) === 'low' ? this.#low : null;
    const other = wished ?? (this.#flows ? null : this.#standIn);
    const layer = other?.ready ? other : this;
    viewer.view(layer);
    return layer;
  }

  /** A browser whose link is narrow sends its small layer alone. A pipeline sends both, or none. */
  get #standIn(): Feed | null {
    return this.#source?.info.kind === 'whip' ? this.#low : null;
  }

  #serveWishes(): void {
    for (const viewer of this.viewers) this.#serve(viewer);
  }

  get #layerStats(): LayerStats {
    const { info } = this.video;
    return {
      layer: this.layer,
      width: info?.width ?? null,
      height: info?.height ?? null,
      fps: Math.round(this.#frameRate.perSecond * 10) / 10,
      bitrateKbps: Math.round((this.#octetRate.perSecond * 8) / 1000),
    };
  }

  /** Of the last seconds. A packet that is repeated in time is not lost; a new source starts the count again. */
  get #lossRatio(): number | null {
    const sent = this.#expectedRate.perSecond;
    if (!this.#source?.present || sent <= 0) return null;
    return Math.min(1, Math.max(0, this.#lostRate.perSecond / sent));
  }

  #notices(nowMs: number): string[] {
    const { keyframeMs, reorders, keyframeKept } = this.video;
    return noticesOf({
      reorders,
      online: this.#state === 'online',
      keyframeAgeMs: keyframeMs === null ? null : nowMs - keyframeMs,
      keyframeKept,
      fromSource: this.#source?.notices ?? [],
    });
  }

  #frameArrived(): void {
    if (this.#state !== 'online') this.#updateState(performance.now());
  }

  #keyframeArrived(): void {
    this.#followCodec();
    this.#arbiter.answered();
    this.#wakeWaiting();
  }

  /** Viewers negotiated one codec: if the feed changes to another one, they reconnect and negotiate again. */
  #followCodec(): void {
    const { codec = null } = this.video.info ?? {};
    if (codec === this.#codec) return;
    const isNews = this.#codec !== null;
    this.#codec = codec;
    if (isNews) for (const viewer of [...this.viewers]) viewer.close();
  }

  /** Viewers wait for a first keyframe, and for a stalled feed to continue. */
  #wakeWaiting(): void {
    if (this.ready) for (const resolve of this.#waiting) resolve(true);
  }

  #updateState(nowMs: number): void {
    const state = this.#stateAt(nowMs);
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(this, state);
    this.#wakeWaiting();
  }

  #stateAt(nowMs: number): FeedState {
    if (!this.#source?.present) return 'offline';
    const { lastFrameMs } = this.video;
    if (lastFrameMs !== null && nowMs - lastFrameMs < STALL_MS) return 'online';
    return this.#standIn?.state === 'online' ? 'online' : 'stalled';
  }
}
