import { backoffMs } from '../../../../common/backoff.ts';
import { pause, pauseUntilOnline } from '../app/pause.ts';
import { Store } from '../app/store.ts';
import { LayerKeeper, type LayerTurn } from './layer-keeper.ts';
import type { Layers, TilePlace } from './layer-wish.ts';
import { picturesHelp, videoRetryMs } from './picture-fallback.ts';
import { type ReceiveRates, type ReceiveSample, ratesOf } from './receive-stats.ts';
import { WhepError, WhepSession } from './whep.ts';

/** The state of a player. */
export type PlayerPhase =
  /** The feed is offline: nothing to ask for. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'playing' }
  /** Between two tries; `retryAtMs` is the browser's clock. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly retryAtMs: number };

/** The picture will begin again, or ends with its session. */
export type PictureTurn = LayerTurn | { readonly kind: 'end' };

/** What a tile shows of its player. */
export interface PlayerView {
  readonly phase: PlayerPhase;
  /** Keeps its last picture while the player reconnects; null before the first session. */
  readonly stream: MediaStream | null;
  readonly sample: ReceiveSample | null;
  readonly rates: ReceiveRates | null;
  /** Why the feed is shown as JPEG pictures for now; null if video works. */
  readonly pictures: string | null;
  /** The layer that the picture belongs to; null if the feed has only one, or nothing is shown. */
  readonly layer: 'high' | 'low' | null;
  /** The link carries no more than the small layer. */
  readonly narrow: boolean;
}

const nothing: PlayerView = {
  phase: { kind: 'idle' },
  stream: null,
  sample: null,
  rates: null,
  pictures: null,
  layer: null,
  narrow: false,
};

type FeedCondition = 'online' | 'stalled' | 'offline';

const retryLimits = { firstMs: 500, maxMs: 8000 };
const pollMs = 1000;
/** While no frames flow the player looks more often, so that "live" is shown when it is. */
const firstFramePollMs = 100;
const disconnectedLimitMs = 2000;
const frameLimitMs = 3000;
/** A picture that has not changed for this long is no longer called live. */
const quietLimitMs = 1500;
const firstFrameLimitMs = 8000;
/** A feed that comes back begins with a keyframe at once, if its session has survived. */
const returnLimitMs = 1500;
/** After this long with frames, an earlier series of failures is forgotten. */
const stableMs = 5000;

const noRoute = () =>
  new WhepError('NO_ROUTE', 'No video gets through to this browser: the network may block UDP.');

/** Shows one feed for as long as it runs: joins, watches that frames arrive, and joins again when they do not. */
export class FeedPlayer {
  readonly view = new Store<PlayerView>(nothing);
  /** What was last about to happen to the picture. */
  readonly turn = new Store<PictureTurn | null>(null);
  readonly #endpoint: string;
  #condition: FeedCondition = 'offline';
  #onlineSinceMs = 0;
  #attempt = 0;
  #wake: (() => void) | null = null;
  readonly #layer = new LayerKeeper(undefined, undefined, (turn) => this.turn.set(turn));

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** What the appliance says about the feed. A feed that comes online is joined at once. */
  setCondition(condition: FeedCondition): void {
    if (condition === this.#condition) return;
    const joins = this.#condition === 'offline';
    this.#condition = condition;
    if (condition === 'online') this.#onlineSinceMs = Date.now();
    if (joins) this.retry();
  }

  /** What layers the feed has. */
  setLayers(layers: Layers): void {
    this.#layer.setLayers(layers);
  }

  /** The place of its tile: small tiles need few pixels, and hidden ones none. */
  setPlace(place: TilePlace): void {
    this.#layer.setPlace(place);
  }

  /** The appliance is back: no need to wait for the next try. */
  retry(): void {
    this.#attempt = 0;
    this.#wake?.();
  }

  /** Ends when the signal aborts, with the session closed and the stream released. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#condition === 'offline') {
        this.#phase({ kind: 'idle' });
        await this.#pause(pollMs * 60, signal);
        continue;
      }
      const error = await this.#play(signal);
      if (signal.aborted) break;
      const waitMs = error.retryAfterMs ?? this.#waitMs(error);
      this.#attempt += 1;
      this.#phase({ kind: 'waiting', reason: error.message, retryAtMs: Date.now() + waitMs });
      await this.#pause(waitMs, signal);
    }
    this.view.set(nothing);
  }

  /** How long to wait after a failed try. If pictures help, they are shown meanwhile. */
  #waitMs({ code, message }: WhepError): number {
    if (!picturesHelp(code, this.#attempt + 1)) return backoffMs(this.#attempt, retryLimits);
    this.view.set({ ...this.view.value, pictures: message });
    return videoRetryMs(this.#attempt);
  }

  /** Plays until something ends it. Returns the reason. */
  async #play(signal: AbortSignal): Promise<WhepError> {
    this.#phase({ kind: 'connecting' });
    let session: WhepSession | null = null;
    try {
      session = await WhepSession.open(this.#endpoint, signal);
      const opened = session;
      this.#layer.setSession((wish) => opened.select(wish, signal));
      if (this.view.value.stream === null) this.#attach(session);
      return await this.#watch(session, signal);
    } catch (error) {
      if (error instanceof WhepError) return error;
      return new WhepError('CONNECTION_LOST', 'The connection broke.', { cause: error });
    } finally {
      this.#layer.setSession(null);
      if (session !== null) this.turn.set({ kind: 'end' });
      session?.close();
    }
  }

  async #watch(session: WhepSession, signal: AbortSignal): Promise<WhepError> {
    const openedAtMs = Date.now();
    let disconnectedAtMs: number | null = null;
    let advancedAtMs = openedAtMs;
    let connected = false;
    let before: ReceiveSample | null = null;
    while (!signal.aborted) {
      const nowMs = Date.now();
      const state = session.connection;
      connected ||= state === 'connected';
      if (state === 'failed' || state === 'closed') {
        if (!connected) return noRoute();
        return new WhepError('CONNECTION_LOST', 'The connection to the appliance broke.');
      }
      disconnectedAtMs = state === 'disconnected' ? (disconnectedAtMs ?? nowMs) : null;
      if (disconnectedAtMs !== null && nowMs - disconnectedAtMs > disconnectedLimitMs) {
        return new WhepError('CONNECTION_LOST', 'The appliance can no longer be heard.');
      }
      // A former session's last picture stays until the new session is about to have its own.
      if (state === 'connected') this.#attach(session);
      const sample = await session.sample();
      const frames = sample?.framesDecoded ?? 0;
      const arrived = frames > (before?.framesDecoded ?? 0);
      // A browser that is not looked at may decode nothing, and what is paused sends nothing.
      if (arrived || document.visibilityState === 'hidden' || this.#layer.paused) advancedAtMs = nowMs;
      const quietMs = nowMs - Math.max(advancedAtMs, this.#onlineSinceMs);
      if (this.#condition === 'online' && quietMs > this.#frameLimitMs(frames, advancedAtMs)) {
        if (!connected) return noRoute();
        if (frames === 0)
          return new WhepError('NO_FRAMES', 'Video is connected, but no frame of it arrives.');
        return new WhepError('FRAMES_STOPPED', 'Frames stopped arriving.');
      }
      if (nowMs - openedAtMs > stableMs && advancedAtMs === nowMs) this.#attempt = 0;
      const flowing = advancedAtMs >= this.#onlineSinceMs && quietMs < quietLimitMs;
      if (frames > 0 && sample !== null && flowing) this.#show(session, before, sample);
      else if (this.view.value.phase.kind === 'playing') this.#phase({ kind: 'connecting' });
      this.#layer.look(before, sample);
      before = sample ?? before;
      await pause(frames > 0 && flowing ? pollMs : firstFramePollMs, signal);
    }
    return new WhepError('CONNECTION_LOST', 'The page stopped viewing.');
  }

  #show(session: WhepSession, before: ReceiveSample | null, sample: ReceiveSample): void {
    this.view.set({
      phase: { kind: 'playing' },
      stream: session.stream,
      sample,
      rates: before === null || before.framesDecoded === 0 ? null : ratesOf(before, sample),
      pictures: null,
      layer: this.#layer.shown(sample.width),
      narrow: this.#layer.narrow,
    });
  }

  #frameLimitMs(frames: number, advancedAtMs: number): number {
    if (frames === 0) return firstFrameLimitMs;
    return advancedAtMs < this.#onlineSinceMs ? returnLimitMs : frameLimitMs;
  }

  #attach({ stream }: WhepSession): void {
    if (this.view.value.stream !== stream) this.view.set({ ...this.view.value, stream });
  }

  #phase(phase: PlayerPhase): void {
    this.view.set({ ...this.view.value, phase, rates: null });
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#wake = () => early.abort();
    await pauseUntilOnline(ms, AbortSignal.any([signal, early.signal]));
    this.#wake = null;
  }
}
