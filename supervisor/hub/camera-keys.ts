import type { Logger } from 'pino';
import { z } from 'zod';
import { listOf, type StateSection, type StateStore } from '../config/state.ts';

/** The camera that each key belongs to, if its subject does not say so. */
export const cameraKeysSection = {
  name: 'cameraKeys',
  schema: z.object({ bound: listOf(z.object({ keyId: z.string(), cameraId: z.string() })) }),
} as const satisfies StateSection<z.ZodObject>;

interface AccessKey {
  readonly id: string;
  readonly role: string;
  /** What it was made for: the name or the id of a camera. */
  readonly subject: string;
}

/** The keys of this appliance. */
export interface CameraKeyStore {
  list(): readonly AccessKey[];
  create(role: 'camera', subject: string): Promise<{ readonly token: string }>;
  revoke(id: string): Promise<boolean>;
}

/** What a camera reports about itself in its hello. */
export interface CameraIdentity {
  readonly id: string;
  readonly name: string;
}

/** Why a key does not open a camera's link, in words for its owner. */
export interface KeyRefusal {
  readonly reason: string;
}

/**
 * Decides which camera a key belongs to: to one, for good. A key made by adoption carries the camera's id. A key made by hand
 * for a name belongs to the first camera of that name that uses it, which is remembered; no other camera may use it from then
 * on, and no key identifies a camera that has another key.
 */
export class CameraKeys {
  readonly #keys: CameraKeyStore;
  readonly #state: StateStore;
  readonly #log: Logger;
  readonly #unkept = new Map<string, string>();

  constructor(keys: CameraKeyStore, state: StateStore, log: Logger) {
    this.#keys = keys;
    this.#state = state;
    this.#log = log;
  }

  /** Settles with null once it is certain that this key belongs to this camera, and to no other one from now on. */
  async claim(keyId: string, camera: CameraIdentity): Promise<KeyRefusal | null> {
    const known = this.#judge(keyId, camera);
    if (known !== 'free') return known;
    try {
      await this.#state.update(cameraKeysSection, ({ bound }) => {
        // While this waited for its turn, another camera may have been faster, or the key removed.
        if (this.#judge(keyId, camera) !== 'free') return {};
        const good = new Set(this.#keys.list().map(({ id }) => id));
        return { bound: [...bound.filter((one) => good.has(one.keyId)), { keyId, cameraId: camera.id }] };
      });
    } catch (error) {
      // A disk that cannot be written keeps no camera from its hub: the key is this camera's until the next start.
      if (this.#judge(keyId, camera) === 'free') this.#unkept.set(keyId, camera.id);
      this.#log.error({ err: error, camera: camera.id }, 'whose key it is cannot be kept on the disk');
    }
    const now = this.#judge(keyId, camera);
    if (now === null)
      this.#log.info(
        { key: keyId, camera: camera.id, name: camera.name },
        'this key is that camera’s from now on',
      );
    return now === 'free' ? { reason: 'the hub cannot keep whose key this is' } : now;
  }

  /** Whether any key belongs to that camera. */
  has(cameraId: string): boolean {
    return this.#of({ id: cameraId, name: null }).length > 0;
  }

  /** Makes the camera's one key, in the place of those before, and returns its token. */
  async issue(cameraId: string): Promise<string> {
    const before = this.#of({ id: cameraId, name: null });
    const { token } = await this.#keys.create('camera', cameraId);
    for (const key of before) await this.#keys.revoke(key.id);
    return token;
  }

  /** Removes every key that opens, or could open, this camera's link, including those made for its name. */
  async revoke(camera: { readonly id: string; readonly name: string | null }): Promise<void> {
    for (const key of this.#of(camera)) await this.#keys.revoke(key.id);
  }

  #of({ id, name }: { readonly id: string; readonly name: string | null }): readonly AccessKey[] {
    return this.#keys.list().filter((key) => {
      if (key.role !== 'camera') return false;
      const owner = this.#ownerOf(key);
      return owner === id || key.subject === id || (owner === null && key.subject === name);
    });
  }

  #judge(keyId: string, camera: CameraIdentity): KeyRefusal | 'free' | null {
    const key = this.#keys.list().find(({ id, role }) => id === keyId && role === 'camera');
    if (key === undefined) return { reason: 'this key was revoked' };
    const owner = this.#ownerOf(key);
    if (owner === camera.id) return null;
    if (owner !== null)
      return { reason: `this key belongs to the camera ${owner}, and this is ${camera.id}` };
    // Made for exactly this camera, by adoption or by its owner.
    if (key.subject === camera.id) return 'free';
    if (key.subject !== camera.name) return { reason: `this key belongs to ${key.subject}` };
    if (this.has(camera.id)) {
      return {
        reason: `the camera ${camera.id} has another key: remove the camera on the page of the hub, then use this one`,
      };
    }
    return 'free';
  }

  #ownerOf({ id }: AccessKey): string | null {
    const { bound } = this.#state.get(cameraKeysSection);
    return this.#unkept.get(id) ?? bound.find(({ keyId }) => keyId === id)?.cameraId ?? null;
  }
}
