import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

const keySchema = z.object({
  id: z.string(),
  role: z.enum(['owner', 'operator', 'viewer', 'camera']),
  subject: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.string(),
});

/**
 * Fields and roles of a newer release are kept and open nothing: after a rollback nobody is locked out, and after the next
 * update every key is as it was. What is no key file at all is refused.
 */
export const keyFileSchema = z.looseObject({
  version: z.int().min(1),
  keys: z.array(z.looseObject({ ...keySchema.shape, role: z.string() })),
});

type KeyFile = z.infer<typeof keyFileSchema>;
type KeptKey = KeyFile['keys'][number];

export type AccessKey = z.infer<typeof keySchema>;

/** Where keys are kept between starts. Only digests are kept; a token is shown once, when it is made. */
export interface KeyVault {
  read(): Promise<unknown>;
  write(file: KeyFile): Promise<void>;
}

/**
 * The bearer tokens of this appliance, each with its role. 256 random bits each, so a plain SHA-256 is enough to keep
 * them (nothing to guess), and any one of them can be revoked.
 */
export class KeyStore {
  readonly #vault: KeyVault;
  readonly #listeners = new Set<(id: string) => void>();
  #file: KeyFile = { version: 1, keys: [] };
  #keys: readonly AccessKey[] = [];

  constructor(vault: KeyVault) {
    this.#vault = vault;
  }

  /** Reads the kept keys. Rejects with a ZodError where the file is damaged. */
  async load(): Promise<void> {
    const file = await this.#vault.read();
    this.#take(file === null ? { version: 1, keys: [] } : keyFileSchema.parse(file));
  }

  list(): readonly AccessKey[] {
    return this.#keys;
  }

  /** Makes a key and returns its token, which is kept nowhere. */
  async create(role: AccessKey['role'], subject: string): Promise<{ key: AccessKey; token: string }> {
    const token = `rl_${randomBytes(32).toString('base64url')}`;
    const key: AccessKey = {
      id: randomBytes(6).toString('hex'),
      role,
      subject,
      sha256: digest(token),
      createdAt: new Date().toISOString(),
    };
    await this.#save([...this.#file.keys, key]);
    return { key, token };
  }

  async revoke(id: string): Promise<boolean> {
    const left = this.#file.keys.filter((key) => key.id !== id);
    if (left.length === this.#file.keys.length) return false;
    await this.#save(left);
    for (const listener of this.#listeners) listener(id);
    return true;
  }

  /** Tells the ids of keys that are revoked. Returns the way to stop it. */
  onRevoked(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The key of a token; null where nobody has it. Compares in constant time. */
  find(token: string): AccessKey | null {
    const wanted = Buffer.from(digest(token), 'hex');
    let found: AccessKey | null = null;
    for (const key of this.#keys) {
      if (timingSafeEqual(Buffer.from(key.sha256, 'hex'), wanted)) found = key;
    }
    return found;
  }

  async #save(keys: KeptKey[]): Promise<void> {
    const file = { ...this.#file, keys };
    await this.#vault.write(file);
    this.#take(file);
  }

  #take(file: KeyFile): void {
    this.#file = file;
    this.#keys = file.keys.flatMap((key) => keySchema.safeParse(key).data ?? []);
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
