/** A named live stream: its tracks, who publishes it and who views it. */
import type { Logger } from 'pino';
import type { Datapath } from '../datapath/datapath.ts';
import type { AudioCodec } from './audio-codec.ts';
import { AudioTrack } from './audio-track.ts';
import { noticesOf } from './feed-notices.ts';
import type { FeedState, FeedStats, PublisherInfo } from './feed-stats.ts';
import { KeyframeArbiter } from './keyframe-arbiter.ts';
import { RateMeter } from './rate-meter.ts';
import { VideoTrack } from './video-track.ts';
import type { Viewer } from './viewer.ts';

/** Without a frame for this long a feed is stalled, whatever else still arrives. */
const STALL_MS = 2000;
/** A cached keyframe older than this is not worth the burst, if the publisher can make a new one. */
const MAX_KEYFRAME_AGE_MS = 3000;

/** Whoever delivers a feed's packets. */
export interface FeedSource {
  readonly info: PublisherInfo;
  /** True while the source is connected, or sends. */
  readonly present: boolean;
  readonly packetsLost: number;
  /** Packets of the picture that were sent, those that were lost among them. */
  readonly packetsExpected: number;
  /** From capture to arrival by the source's own clock; null where it does not tell. */
  readonly captureDelayMs: number | null;
  /** What of it cannot be passed on, in words. */
  readonly notices: readonly string[];
  /** Asks for a keyframe; false where the source cannot be asked. */
  requestKeyframe(): boolean;
}

export interface FeedOptions {
  readonly id: string;
  readonly datapath: Datapath;
  readonly logger: Logger;
  readonly onState: (feed: Feed, state: FeedState) => void;
}

export class Feed implements Disposable {
  readonly id: string;
  readonly video: VideoTrack;
  readonly viewers = new Set<Viewer>();
  /** Publishers that have agreed to come and are not connected yet: none of them has the feed. */
  readonly expected = new Set<FeedSource>();
  readonly #options: FeedOptions;
  readonly #arbiter: KeyframeArbiter;
  readonly #frameRate = new RateMeter();
  readonly #octetRate = new RateMeter();
  readonly #expectedRate = new RateMeter();
  readonly #lostRate = new RateMeter();
  readonly #waiting = new Set<(ready: boolean) => void>();
  #audio: AudioTrack | null = null;
  #source: FeedSource | null = null;
  #state: FeedState = 'offline';

  constructor(options: FeedOptions) {
    this.id = options.id;
    this.#options = options;
    this.#arbiter = new KeyframeArbiter({ send: () => this.#source?.requestKeyframe() ?? false });
    this.video = new VideoTrack(options.datapath.createRelay('video'), {
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
    return this.#source !== null || this.expected.size > 0;
  }

  get audio(): AudioTrack | null {
    return this.#audio;
  }

  /** True where a viewer can be served now. */
  get ready(): boolean {
    return this.#state === 'online' && this.video.info !== null && this.video.keyframeMs !== null;
  }

  /** The feed has sound from now on. Viewers that agreed to another codec hear nothing until they come again. */
  openAudio(codec: AudioCodec): AudioTrack {
    if (this.#audio?.codec === codec) return this.#audio;
    this.#audio?.[Symbol.dispose]();
    this.#audio = new AudioTrack(this.#options.datapath.createRelay('audio'), codec);
    return this.#audio;
  }

  /** `source` publishes from now on. What it says of its tracks before their first packet is to be set after this. */
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

  /** Where a joining viewer starts: the cached keyframe, or null where it has to wait for a new one. */
  joinPoint(nowMs: number): number | null {
    const { keyframe } = this.video.parts.relay;
    const ageMs = nowMs - (this.video.keyframeMs ?? Number.NEGATIVE_INFINITY);
    // A publisher that never made a keyframe on request (OBS, most cameras) will not make one for this viewer.
    const fresh = ageMs <= MAX_KEYFRAME_AGE_MS || !this.#arbiter.isAnswered;
    if (keyframe === null || ageMs > MAX_KEYFRAME_AGE_MS) this.#arbiter.request();
    return keyframe !== null && fresh ? keyframe : null;
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
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
      codec: info === null ? null : `avc1.${info.profileLevelId}`,
      audioCodec: this.#audio?.codec ?? null,
      width: info?.width ?? null,
      height: info?.height ?? null,
      fps: live ? Math.round(this.#frameRate.perSecond * 10) / 10 : null,
      bitrateKbps: live ? Math.round((this.#octetRate.perSecond * 8) / 1000) : 0,
      framesTotal: this.video.frames,
      packetsLost: this.#source?.packetsLost ?? 0,
      lossRatio: this.#lossRatio,
      captureDelayMs: this.#source?.present ? this.#source.captureDelayMs : null,
      keyframeAgeMs: this.video.keyframeMs === null ? null : Math.round(nowMs - this.video.keyframeMs),
      keyframeRequests: this.#arbiter.counts,
      notices: this.#notices(nowMs),
      publisher: this.#source?.present ? this.#source.info : null,
      viewers: [...this.viewers].map((viewer) => viewer.stats()),
    };
  }

  [Symbol.dispose](): void {
    this.#arbiter[Symbol.dispose]();
    for (const viewer of [...this.viewers]) viewer.close();
    this.video[Symbol.dispose]();
    this.#audio?.[Symbol.dispose]();
    for (const resolve of this.#waiting) resolve(false);
  }

  /** Of the last seconds. What is repeated in time is not lost; a new source begins its count anew. */
  get #lossRatio(): number | null {
    const sent = this.#expectedRate.perSecond;
    if (!this.#source?.present || sent <= 0) return null;
    return Math.min(1, Math.max(0, this.#lostRate.perSecond / sent));
  }

  #notices(nowMs: number): string[] {
    const { keyframeMs, reorders, parts } = this.video;
    return noticesOf({
      reorders,
      online: this.#state === 'online',
      keyframeAgeMs: keyframeMs === null ? null : nowMs - keyframeMs,
      keyframeKept: parts.relay.keyframe !== null,
      fromSource: this.#source?.notices ?? [],
    });
  }

  #frameArrived(): void {
    if (this.#state !== 'online') this.#updateState(performance.now());
  }

  #keyframeArrived(): void {
    this.#arbiter.answered();
    this.#wakeWaiting();
  }

  /** Viewers wait for a first keyframe, and for a feed that stalled to go on. */
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
    return lastFrameMs !== null && nowMs - lastFrameMs < STALL_MS ? 'online' : 'stalled';
  }
}
