import type { Context } from 'koa';
import type { ApiPorts, TaggedConfig } from '../../contract/ports.ts';
import { ApiError } from '../api-error.ts';
import { expectedBy } from '../if-match.ts';
import { openApiDocument } from '../openapi.ts';
import type { RouteHandlers } from '../router.ts';

type MachineRoute =
  | 'listFeeds'
  | 'getFeed'
  | 'listOutputs'
  | 'listDevices'
  | 'setControls'
  | 'useDevice'
  | 'forgetDevice'
  | 'labelDevice'
  | 'listUnplugged'
  | 'getStatus'
  | 'getConfig'
  | 'patchConfig'
  | 'getUpdate'
  | 'checkUpdate'
  | 'installUpdate'
  | 'rollbackUpdate'
  | 'identify'
  | 'restart'
  | 'shutdown'
  | 'factoryReset'
  | 'setTally'
  | 'healthz'
  | 'readyz'
  | 'metrics'
  | 'getLogs'
  | 'openapi';

/** Feeds, devices, status, config, updates and the machine itself. */
export function machineRoutes(ports: ApiPorts, version: string): Pick<RouteHandlers, MachineRoute> {
  return {
    listFeeds: () => ports.feeds(),
    getFeed: async ({ params }) => {
      const feed = (await ports.feeds()).find((one) => one.id === params.feed);
      if (feed === undefined) throw new ApiError('FEED_UNKNOWN', `There is no feed "${params.feed}".`);
      return feed;
    },
    listOutputs: () => ports.outputs(),
    listDevices: () => ports.devices.list(),
    setControls: ({ params, body }) => ports.devices.setControls(params.id, body),
    useDevice: ({ params, body }) => ports.devices.use(params.id, body.use),
    forgetDevice: ({ params }) => done(ports.devices.forget(params.id)),
    labelDevice: ({ params, body }) => ports.devices.label(params.id, body.label),
    listUnplugged: () => ports.devices.unplugged(),
    getStatus: () => ports.status(),
    getConfig: (_request, ctx) => tagged(ctx, ports.config.view()),
    patchConfig: async ({ body }, ctx) =>
      tagged(ctx, await ports.config.patch(body, expectedBy(ctx.get('If-Match')))),
    getUpdate: () => ports.update.status(),
    checkUpdate: () => ports.update.check(),
    installUpdate: ({ body }) => ports.update.install(body),
    rollbackUpdate: () => ports.update.rollback(),
    identify: () => done(ports.system.identify()),
    restart: ({ body }) => done(ports.system.restart(body)),
    shutdown: ({ body }) => done(ports.system.shutdown(body)),
    factoryReset: ({ body }) => done(ports.system.factoryReset(body)),
    setTally: ({ body }) => ports.system.setTally(body),
    healthz: () => ({ alive: true as const }),
    readyz: (_request, ctx) => {
      const readiness = ports.readiness();
      if (!readiness.ready) ctx.status = 503;
      return readiness;
    },
    metrics: () => ports.metrics(),
    getLogs: ({ query }) =>
      ports
        .logs(query.lines)
        .map((line) => `${line.trimEnd()}\n`)
        .join(''),
    openapi: () => openApiDocument(version),
  };
}

async function done(work: Promise<void>): Promise<undefined> {
  await work;
  return undefined;
}

function tagged(ctx: Context, { view, tag }: TaggedConfig): TaggedConfig['view'] {
  ctx.set('ETag', `"${tag}"`);
  return view;
}
