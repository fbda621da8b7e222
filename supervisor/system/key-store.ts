import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import pLimit from 'p-limit';
import { ApplianceError } from './appliance-error.ts';
import { type AccessKey, emptyKeyFile, type KeyFile, keyOf, readKeyFile, withCheck } from './key-file.ts';

export type { AccessKey } from './key-file.ts';

type KeyEntries = KeyFile['keys'];

/** Called with each revoked key. The caller of `revoke` waits for what this returns, which must not reject. */
type RevocationListener = (id: string) => void | Promise<void>;

/** Where keys are kept between starts. Only digests are kept; a token is shown once, when it is made. */
export interface KeyVault {
  /** The text that was last written; null if there is none. */
  read(): Promise<string | null>;
  /** Settles when the whole file is on the disk. */
  write(file: KeyFile): Promise<void>;
}

/** What was read of the keys. */
export interface LoadedKeys {
  /** What of the file could not be read, for people; null if all of it could. */
  readonly damage: string | null;
  /** Whether keys of an older release are among them, which carry no check yet. */
  readonly unchecked: boolean;
}

/** Who asks for a new key. */
export interface KeyOrigin {
  /** Id of the key that asks for the new one: it must still be valid when the new one is made. */
  readonly issuer?: string | null;
  /** Called with the token before the key is kept. If it rejects, there is no key. */
  readonly beforeKept?: (token: string) => Promise<void>;
}

/**
 * The bearer tokens of this appliance, each with its role. They have 256 random bits each, so a plain SHA-256 is enough to keep
 * them (nothing to guess), and each of them can be revoked.
 *
 * All changes are made one after the other, each from the result of the one before. A revoked key opens nothing from that
 * moment on; the answer waits until the disk knows it as well.
 */
export class KeyStore {
  readonly #vault: KeyVault;
  readonly #listeners = new Set<RevocationListener>();
  /** Rejected at once, whatever the disk says. */
  readonly #revoked = new Set<string>();
  #file: KeyFile = emptyKeyFile;
  #keys: readonly AccessKey[] = [];
  readonly #inTurn = pLimit(1);

  constructor(vault: KeyVault) {
    this.#vault = vault;
  }

  /** Reads the kept keys, as far as they can be read. */
  async load(): Promise<LoadedKeys> {
    const text = await this.#vault.read();
    const { file, damage } = text === null ? { file: emptyKeyFile, damage: null } : readKeyFile(text);
    this.#take(file);
    return {
      damage,
      unchecked: file.keys.some((entry) => entry.check === undefined && keyOf(entry) !== null),
    };
  }

  /** Writes the loaded keys, each with its check. */
  async keep(): Promise<void> {
    await this.#change((keys) => [...keys]);
  }

  list(): readonly AccessKey[] {
    return this.#keys;
  }

  /** Whether a key is still valid. */
  isGood(id: string): boolean {
    return !this.#revoked.has(id) && this.#keys.some((key) => key.id === id);
  }

  /** Makes a key and returns its token, which is kept nowhere. Rejects with TOKEN_UNKNOWN if the issuer was revoked. */
  async create(
    role: AccessKey['role'],
    subject: string,
    { issuer = null, beforeKept }: KeyOrigin = {},
  ): Promise<{ key: AccessKey; token: string }> {
    const token = `rl_${randomBytes(32).toString('base64url')}`;
    const key: AccessKey = {
      id: randomBytes(6).toString('hex'),
      role,
      subject,
      sha256: digest(token),
      createdAt: new Date().toISOString(),
    };
    await this.#change(async (keys) => {
      if (issuer !== null && !this.isGood(issuer)) {
        throw new ApplianceError('TOKEN_UNKNOWN', 'This token was revoked just now.');
      }
      await beforeKept?.(token);
      return [...keys, key];
    });
    return { key, token };
  }

  /**
   * Revokes a key: for new requests at once; for good, and with what it had opened, when this settles. If the disk refuses,
   * this rejects; the key stays rejected until the next start, and another call tries again.
   */
  async revoke(id: string): Promise<boolean> {
    const known = () => this.#file.keys.some((key) => key.id === id);
    const ended: (void | Promise<void>)[] = [];
    if (known() && !this.#revoked.has(id)) {
      this.#revoked.add(id);
      for (const listener of this.#listeners) ended.push(listener(id));
    }
    let removed = false;
    await this.#change((keys) => {
      removed = known();
      return removed ? keys.filter((key) => key.id !== id) : null;
    });
    await Promise.all(ended);
    return removed;
  }

  /** Reports the ids of revoked keys, at once and once each. Returns the function that stops it. */
  onRevoked(listener: RevocationListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The key of a token; null if there is none. Compares in constant time. */
  find(token: string): AccessKey | null {
    const wanted = Buffer.from(digest(token), 'hex');
    let found: AccessKey | null = null;
    for (const key of this.#keys) {
      if (timingSafeEqual(Buffer.from(key.sha256, 'hex'), wanted)) found = key;
    }
    return found !== null && this.#revoked.has(found.id) ? null : found;
  }

  /** One change after the other, each from the result of the one before. Null changes nothing. */
  #change(change: (keys: KeyEntries) => KeyEntries | null | Promise<KeyEntries>): Promise<void> {
    return this.#inTurn(async () => {
      const keys = await change(this.#file.keys);
      if (keys === null) return;
      const checked = keys.map((entry) => (keyOf(entry) === null ? entry : withCheck(entry)));
      const file = { ...this.#file, keys: checked };
      await this.#vault.write(file);
      this.#take(file);
    });
  }

  #take(file: KeyFile): void {
    this.#file = file;
    this.#keys = file.keys.flatMap((entry) => keyOf(entry) ?? []);
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
