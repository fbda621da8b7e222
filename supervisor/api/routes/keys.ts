import type { Key } from '../../contract/index.ts';
import type { AccessKey, KeyStore } from '../../system/key-store.ts';
import { ApiError } from '../api-error.ts';
import type { RouteHandlers } from '../router.ts';

/** Keys: list, make, revoke. */
export function keyRoutes(keys: KeyStore): Pick<RouteHandlers, 'listKeys' | 'createKey' | 'revokeKey'> {
  return {
    listKeys: () => keys.list().map(shown),
    createKey: async ({ body, caller }) => {
      const { key, token } = await keys.create(body.role, body.subject, { issuer: caller.keyId });
      return { ...shown(key), token };
    },
    revokeKey: async ({ params }) => {
      if (!(await keys.revoke(params.id))) {
        throw new ApiError('KEY_UNKNOWN', `There is no key "${params.id}".`);
      }
      return undefined;
    },
  };
}

function shown({ id, role, subject, createdAt }: AccessKey): Key {
  return { id, role, subject, createdAt };
}
