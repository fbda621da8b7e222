import { KeyStore } from './key-store.ts';

/** Keys that nothing keeps. */
export function freshKeys(): KeyStore {
  return new KeyStore({ read: async () => null, write: async () => {} });
}
