/** Brings a set of running things to what is wanted: unchanged ones stay, others end, new ones start. */

interface Running<Item> {
  /** The configuration it was made from. */
  readonly key: string;
  readonly item: Item;
}

/**
 * `running` is changed in place, by feed. `problems` names what cannot be started, which is left out; the next call tries
 * again.
 */
export async function reconcile<Config extends { readonly feed: string }, Item extends AsyncDisposable>(
  running: Map<string, Running<Item>>,
  wanted: readonly Config[],
  nameOf: (config: Config) => string,
  problems: string[],
  create: (config: Config) => Promise<Item>,
): Promise<void> {
  const keys = new Map(wanted.map((config) => [config.feed, JSON.stringify(config)]));
  for (const [feed, { key, item }] of [...running]) {
    if (keys.get(feed) === key) continue;
    running.delete(feed);
    await item[Symbol.asyncDispose]();
  }
  for (const config of wanted) {
    if (running.has(config.feed)) continue;
    try {
      running.set(config.feed, { key: JSON.stringify(config), item: await create(config) });
    } catch (error) {
      problems.push(`${nameOf(config)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
