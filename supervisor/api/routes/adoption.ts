import type { ApiPorts } from '../../contract/ports.ts';
import type { RouteHandlers } from '../router.ts';

type AdoptionRoute = 'listNewCameras' | 'adoptCamera' | 'unadoptCamera' | 'forgetHub' | 'confirmHub';

/** Cameras that wait for adoption, and a camera's consent. */
export function adoptionRoutes({ adoption }: ApiPorts): Pick<RouteHandlers, AdoptionRoute> {
  return {
    listNewCameras: () => [...adoption.list()],
    adoptCamera: ({ params, body }) => adoption.adopt(params.id, body.code),
    unadoptCamera: async ({ params }) => {
      await adoption.unadopt(params.id);
      return undefined;
    },
    forgetHub: async () => {
      await adoption.forgetHub();
      return undefined;
    },
    confirmHub: async ({ body }) => {
      await adoption.confirmHub(body.code);
      return undefined;
    },
  };
}
