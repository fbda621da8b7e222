/** The layers of a feed: one picture, encoded large and, if its source can, small as well. */
export const layerNames = ['high', 'low'] as const;
/** Name of a layer. */
export type LayerName = (typeof layerNames)[number];

/** Names one layer of one feed: `cam0` for the full one, `cam0/low` for the small one. */
export function layerKey({
  feed,
  layer,
}: {
  readonly feed: string;
  readonly layer?: LayerName | null | undefined;
}): string {
  return layer === 'low' ? `${feed}/low` : feed;
}
