import type { KeyStore } from '../../system/key-store.ts';

/** Streams and links on behalf of a key: they end when it is revoked. */
export class KeyedWork implements Disposable {
  readonly #keys: KeyStore;
  readonly #ends = new Map<string, Set<() => void>>();
  #unsubscribe: (() => void) | null = null;

  constructor(keys: KeyStore) {
    this.#keys = keys;
  }

  /** Starts listening for revoked keys. */
  open(): this {
    this.#unsubscribe ??= this.#keys.onRevoked((keyId) => this.#revoke(keyId));
    return this;
  }

  /** Calls `end` when the key is revoked, unless it was released before. Work without a key is left alone. */
  hold(keyId: string | null, end: () => void): () => void {
    if (keyId === null) return () => {};
    const ends = this.#ends.get(keyId) ?? new Set();
    this.#ends.set(keyId, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0 && this.#ends.get(keyId) === ends) this.#ends.delete(keyId);
    };
  }

  [Symbol.dispose](): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #revoke(keyId: string): void {
    for (const end of [...(this.#ends.get(keyId) ?? [])]) end();
  }
}
