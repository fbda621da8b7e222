import type { ApiPorts } from '../../contract/ports.ts';
import { ApiError } from '../api-error.ts';
import type { RouteHandlers } from '../router.ts';

type RolloutRoute =
  | 'getRollout'
  | 'startRollout'
  | 'pauseRollout'
  | 'resumeRollout'
  | 'cancelRollout'
  | 'chooseCanary'
  | 'updateCamera'
  | 'rollbackCamera'
  | 'getBundle';

/** A hub updating its cameras, and the bundle that they read from it. */
export function rolloutRoutes({ rollout }: ApiPorts): Pick<RouteHandlers, RolloutRoute> {
  return {
    getRollout: () => rollout.status(),
    startRollout: ({ body }) => rollout.start(body),
    pauseRollout: () => rollout.pause(),
    resumeRollout: () => rollout.resume(),
    cancelRollout: () => rollout.cancel(),
    chooseCanary: ({ body }) => rollout.chooseCanary(body.camera),
    updateCamera: ({ params }) => rollout.install(params.id),
    rollbackCamera: ({ params }) => rollout.rollback(params.id),
    getBundle: async ({ params }, ctx) => {
      // It is answered on the raw response, with Range; Koa does not handle it.
      const served = await rollout.bundle(params.sha256, ctx.req, ctx.res);
      ctx.respond = !served;
      if (served) return undefined;
      throw new ApiError('BUNDLE_NOT_FOUND', 'This hub has no such bundle.');
    },
  };
}
