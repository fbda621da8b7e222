import { messageOf } from '../../common/errors.ts';

/** Brings a set of running things to what is wanted: unchanged ones stay, others end, new ones start. */

interface Running<Item> {
  /** The configuration it was made from. */
  readonly key: string;
  readonly item: Item;
}

/**
 * `running` is changed in place, by name. `problems` names what cannot be started, which is left out; the next call tries
 * again.
 */
export async function reconcile<Config, Item extends AsyncDisposable>(
  running: Map<string, Running<Item>>,
  wanted: readonly Config[],
  nameOf: (config: Config) => string,
  problems: string[],
  create: (config: Config) => Promise<Item>,
): Promise<void> {
  const keys = new Map(wanted.map((config) => [nameOf(config), JSON.stringify(config)]));
  const ending = [...running].filter(([name, { key }]) => keys.get(name) !== key);
  for (const [name] of ending) running.delete(name);
  // At once: each may wait for a server that is slow to answer a goodbye.
  await Promise.all(ending.map(([, { item }]) => item[Symbol.asyncDispose]()));
  for (const config of wanted) {
    if (running.has(nameOf(config))) continue;
    try {
      running.set(nameOf(config), { key: JSON.stringify(config), item: await create(config) });
    } catch (error) {
      problems.push(`${nameOf(config)}: ${messageOf(error)}`);
    }
  }
}
