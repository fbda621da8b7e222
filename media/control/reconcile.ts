/** Brings a set of running things to what is wanted: unchanged ones stay, others end, new ones start. */

import { type LayerName, layerKey } from '../sfu/layer.ts';

interface Running<Item> {
  /** The configuration it was made from. */
  readonly key: string;
  readonly item: Item;
}

/**
 * `running` is changed in place, by feed and layer. What cannot be started is named in `problems` and left out; the next call
 * tries again.
 */
export async function reconcile<
  Config extends { readonly feed: string; readonly layer?: LayerName | undefined },
  Item extends AsyncDisposable,
>(
  running: Map<string, Running<Item>>,
  wanted: readonly Config[],
  nameOf: (config: Config) => string,
  problems: string[],
  create: (config: Config) => Promise<Item>,
): Promise<void> {
  const keys = new Map(wanted.map((config) => [layerKey(config), JSON.stringify(config)]));
  for (const [feed, { key, item }] of [...running]) {
    if (keys.get(feed) === key) continue;
    running.delete(feed);
    await item[Symbol.asyncDispose]();
  }
  for (const config of wanted) {
    const key = layerKey(config);
    if (running.has(key)) continue;
    try {
      running.set(key, { key: JSON.stringify(config), item: await create(config) });
    } catch (error) {
      problems.push(`${nameOf(config)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
