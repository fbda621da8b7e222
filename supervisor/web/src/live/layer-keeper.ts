import { type Layers, type LayerWish, shownLayer, type TilePlace, unplaced, wishOf } from './layer-wish.ts';
import { isNarrow, judge, settle, wideLink } from './narrow-link.ts';
import { type ReceiveSample, ratesOf } from './receive-stats.ts';

/** Requests a layer; false if the request failed. */
export type SelectLayer = (wish: LayerWish) => Promise<boolean>;

/** A request after which the picture begins again: with another layer, or after a pause. */
export interface LayerTurn {
  readonly kind: 'layer' | 'resume';
}

const turnOf = (asked: LayerWish, wish: LayerWish, layers: Layers): LayerTurn | null => {
  if (wish.paused) return null;
  if (asked.paused) return { kind: 'resume' };
  return layers.length > 1 && asked.rid !== wish.rid ? { kind: 'layer' } : null;
};

/** How soon a failed request is repeated. */
const askAgainMs = 2000;

/** Keeps the layer of one feed to what its tile needs and its link carries, through whatever sessions there are. */
export class LayerKeeper {
  readonly #now: () => number;
  readonly #pixelRatio: () => number;
  readonly #onTurn: (turn: LayerTurn) => void;
  #place: TilePlace = unplaced;
  #layers: Layers = [];
  #link = wideLink;
  #select: SelectLayer | null = null;
  /** What the session was asked for; null while that is to be done. */
  #asked: LayerWish | null = null;
  #asking = false;
  #askAtMs = 0;

  /** `onTurn`: called just before such a request. */
  constructor(
    now = () => Date.now(),
    pixelRatio = () => globalThis.devicePixelRatio ?? 1,
    onTurn: (turn: LayerTurn) => void = () => {},
  ) {
    this.#onTurn = onTurn;
    this.#now = now;
    this.#pixelRatio = pixelRatio;
  }

  /** The session sends no picture, as nobody sees it. */
  get paused(): boolean {
    return this.#asked?.paused === true;
  }

  /** The link carries no more than the small layer. */
  get narrow(): boolean {
    return isNarrow(this.#link);
  }

  /** The layer of a picture of this width; null if the feed has only one. */
  shown(width: number | null): 'high' | 'low' | null {
    return shownLayer(this.#layers, width);
  }

  setLayers(layers: Layers): void {
    this.#layers = layers;
    this.#ask();
  }

  setPlace(place: TilePlace): void {
    this.#place = place;
    this.#ask();
  }

  /** A session begins, without any request yet; null: it ended. */
  setSession(select: SelectLayer | null): void {
    this.#select = select;
    this.#asked = null;
    this.#askAtMs = 0;
    this.#ask();
  }

  /** Checks what arrived between two samples. */
  look(before: ReceiveSample | null, sample: ReceiveSample | null): void {
    const full = before !== null && sample !== null && this.shown(sample.width) === 'high' && !this.paused;
    const seen = full
      ? {
          lossRatio: ratesOf(before, sample).lossRatio,
          rttMs: sample.rttMs,
          freezes: sample.freezeCount - before.freezeCount,
        }
      : null;
    this.#link = judge(this.#link, seen, this.#now());
    this.#ask();
  }

  /** Asks for what is needed now, unless that was asked. One question at a time. */
  #ask(): void {
    const [select, asked] = [this.#select, this.#asked];
    if (select === null || this.#asking || this.#now() < this.#askAtMs) return;
    const wish = wishOf(this.#place, this.#layers, this.narrow, this.#pixelRatio());
    if (asked?.rid === wish.rid && asked.paused === wish.paused) return;
    const turn = asked === null ? null : turnOf(asked, wish, this.#layers);
    if (turn !== null) this.#onTurn(turn);
    if (asked !== null) this.#link = settle(this.#link, this.#now());
    this.#asking = true;
    this.#asked = wish;
    void select(wish).then((taken) => {
      this.#asking = false;
      if (!taken && this.#select === select) {
        this.#asked = null;
        this.#askAtMs = this.#now() + askAgainMs;
      }
      this.#ask();
    });
  }
}
