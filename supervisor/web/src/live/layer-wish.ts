import type { Feed } from '../../../contract/index.ts';

/** The layers of a feed. */
export type Layers = readonly Feed['layers'][number][];

/** The place of a tile on the page, as far as it matters for the request. */
export interface TilePlace {
  /** Some of it can be seen. */
  readonly visible: boolean;
  /** It is the one that is shown large. */
  readonly large: boolean;
  /** Its width in CSS pixels; 0 before it is laid out. */
  readonly width: number;
}

/** What a player asks the appliance for. */
export interface LayerWish {
  readonly rid: 'high' | 'low';
  readonly paused: boolean;
}

/** Before a tile is laid out it counts as one of many: the small layer wastes nothing. */
export const unplaced: TilePlace = { visible: true, large: false, width: 0 };

/** A tile this much wider than the small layer would look blurred. */
const blurred = 1.25;
/** Finer pixels than this are not seen on a small tile. */
const finest = 1.5;

/** What a tile in this place needs; `narrow` where the link carries no more than the small layer. */
export const wishOf = (place: TilePlace, layers: Layers, narrow: boolean, pixelRatio: number): LayerWish => {
  const low = layers.find(({ rid }) => rid === 'low');
  const pixels = place.width * Math.min(finest, pixelRatio);
  const wide = low?.width != null && pixels > low.width * blurred;
  return { rid: (place.large || wide) && !narrow ? 'high' : 'low', paused: !place.visible };
};

/** The layer of a picture of this width; null if there is only one, or nothing has arrived yet. */
export const shownLayer = (layers: Layers, width: number | null): 'high' | 'low' | null => {
  const [high, low] = [layers.find(({ rid }) => rid === 'high'), layers.find(({ rid }) => rid === 'low')];
  if (high?.width == null || low?.width == null || width === null) return null;
  return Math.abs(width - low.width) < Math.abs(width - high.width) ? 'low' : 'high';
};

/** The URL of a Link header (RFC 8288) with this relation; null if there is none. */
export const linkOf = (header: string | null, relation: string): string | null => {
  for (const [, url, parameters = ''] of (header ?? '').matchAll(
    /<([^>]*)>((?:;\s*\w+=(?:"[^"]*"|[^",;]*)|\s)*)/g,
  )) {
    const relations = /;\s*rel=(?:"([^"]*)"|([^\s",;]*))/i.exec(parameters);
    if ((relations?.[1] ?? relations?.[2] ?? '').split(' ').includes(relation)) return url ?? null;
  }
  return null;
};
