/** Names of servers that are not ours, looked up so that one whose look-up hangs keeps nobody else waiting. */
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import pLimit from 'p-limit';

interface Address {
  readonly address: string;
  readonly family: number;
}

/** Rejects with the resolver's error. */
export type LookUp = (name: string) => Promise<readonly Address[]>;

/**
 * One look-up at a time, and one for each name: libuv makes two at once, each for as long as the resolver takes, and the second
 * place is for the hub.
 */
export function oneAtATime(lookUp: LookUp): LookUp {
  const inTurn = pLimit(1);
  const running = new Map<string, Promise<readonly Address[]>>();
  return (name) => {
    const known = running.get(name);
    if (known !== undefined) return known;
    const found = inTurn(() => lookUp(name)).finally(() => running.delete(name));
    running.set(name, found);
    return found;
  };
}

/** Addresses of a name, looked up in turn. */
export const addressesOf = oneAtATime((name) => lookup(name, { all: true }));

/** For the `lookup` option of a request. */
export const lookupInTurn: LookupFunction = (name, { all, family }, callback) => {
  addressesOf(name).then(
    (addresses) => {
      const wanted = addresses.filter((one) => !family || one.family === Number(family));
      const [first] = wanted;
      if (all === true) callback(null, [...wanted]);
      else if (first !== undefined) callback(null, first.address, first.family);
      else callback(Object.assign(new Error(`no address of ${name}`), { code: 'ENOTFOUND' }), '');
    },
    (error: NodeJS.ErrnoException) => callback(error, ''),
  );
};
