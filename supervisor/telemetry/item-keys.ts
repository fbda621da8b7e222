import { createHash } from 'node:crypto';
import type { HostStatus } from '../contract/index.ts';

type Disk = HostStatus['disks'][number];
type Network = HostStatus['network'][number];

/** An item with its key. */
export interface Keyed<T> {
  readonly item: T;
  /** For JSON paths, entity ids and topics: lower-case letters, digits and `_`; no other item has it. */
  readonly key: string;
  readonly label: string;
}

/** A key for JSON paths, entity ids and topics: lower-case letters, digits and `_`. */
export function keyOf(name: string): string {
  const key = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  if (key !== '') return key;
  // Names in other scripts have no letter that a key may contain; `/` and the like have none at all.
  return /\p{L}|\p{N}/u.test(name) ? `x${digest(name)}` : 'root';
}

/** Disks by label, or by mount if they have none. Two with one label are distinguished by their mounts. */
export function keyedDisks(disks: readonly Disk[]): Keyed<Disk>[] {
  const nameOf = ({ label, mount }: Disk) => (label === '' ? mount : label);
  const keyed = distinct(disks, nameOf, ({ mount }) => mount);
  return keyed.map(({ item, key }) => {
    const name = nameOf(item);
    const isShared = disks.filter((disk) => nameOf(disk) === name).length > 1;
    return { item, key, label: isShared ? `${name} (${item.mount})` : name };
  });
}

/** Networks by their interface, without the machine's loopback. */
export function keyedNetworks(networks: readonly Network[]): Keyed<Network>[] {
  const outside = networks.filter(({ name }) => name !== 'lo');
  return distinct(
    outside,
    ({ name }) => name,
    () => '',
  ).map(({ item, key }) => ({
    ...{ item, key, label: item.name },
  }));
}

/** Of items with the same key the first by name and place keeps it; the others get one from what distinguishes them. */
function distinct<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  placeOf: (item: T) => string,
): { readonly item: T; readonly key: string }[] {
  const identity = (item: T) => `${nameOf(item)}\n${placeOf(item)}`;
  const taken = new Set<string>();
  return [...items]
    .sort((a, b) => (identity(a) < identity(b) ? -1 : 1))
    .map((item) => {
      const base = keyOf(nameOf(item));
      let key = base;
      for (let turn = 0; taken.has(key); turn++) key = `${base}_${digest(`${identity(item)}${turn || ''}`)}`;
      taken.add(key);
      return { item, key };
    });
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}
