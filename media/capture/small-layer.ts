/** The small layer of a feed: the same pictures once more, for grids and slow links. */
import { boards } from './boards.ts';
import type { EncoderFacts, EncoderPlan } from './encoder-choice.ts';
import { macroblocksPerFrame } from './h264-level.ts';

/** What the settings of a source ask for. */
export interface SmallWish {
  readonly small: 'auto' | 'on' | 'off';
  readonly smallWidth: number;
  readonly smallBitrateKbps: number;
}

/** Size in pixels, rate and bit rate of a small layer. */
export interface SmallLayer {
  readonly width: number;
  /** One of so many frames is shown. */
  readonly everyNth: number;
  readonly fps: number;
  readonly bitrateKbps: number;
}

/** Whether a source has a small layer, and why not. */
export interface SmallPlan {
  /** Null if there is none. */
  readonly layer: SmallLayer | null;
  /** For people. */
  readonly reason: string;
}

/** More frames a second than this are of no use in a grid. */
const mostFps = 30;
/** A picture that is hardly larger is small enough itself. */
const worthwhile = 1.25;
/** `auto` leaves so much room beside it that masters never wait: the layer is scaled and encoded, and both at bad moments, too. */
const roomFactor = 3;

/** Decides whether a source encodes a small layer, and which. Pure. */
export function chooseSmall(facts: EncoderFacts, plan: EncoderPlan, wish: SmallWish): SmallPlan {
  const none = (reason: string): SmallPlan => ({ layer: null, reason });
  if (wish.small === 'off') return none('The settings ask for no small layer.');
  if (plan.encoder === 'mjpeg') return none('Pictures have no small layer.');
  const { width, height } = facts;
  if (width > 0 && width < wish.smallWidth * worthwhile)
    return none('The picture is small: it needs no small layer.');
  const everyNth = Math.max(1, Math.ceil(plan.fps / mostFps));
  const fps = plan.fps / everyNth;
  const layer = { width: wish.smallWidth, everyNth, fps, bitrateKbps: wish.smallBitrateKbps };
  const words = `A small layer of ${layer.width} pixels across has ${layer.bitrateKbps} kbit/s.`;
  if (wish.small === 'on') return { layer, reason: words };
  if (plan.encoder === 'copy')
    return none('No small layer is made of H.264 that is passed on: it would have to be decoded first.');
  const limit = facts.softwareMacroblocksPerS ?? boards[facts.board ?? 'pc'].assumedSoftwareMacroblocksPerS;
  const scaledHeight = Math.round((height * layer.width) / width);
  const small = macroblocksPerFrame(layer.width, scaledHeight) * fps * roomFactor;
  const full = plan.encoder === 'libx264' ? macroblocksPerFrame(width, height) * plan.fps : 0;
  if (limit !== null && small + full > limit)
    return none('This board leaves the processor to the masters instead of a small layer.');
  return { layer, reason: words };
}
