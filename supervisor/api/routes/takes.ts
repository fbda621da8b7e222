import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Context } from 'koa';
import type { ApiPorts } from '../ports.ts';
import type { RouteHandlers } from '../router.ts';
import { parseByteRange } from './byte-range.ts';

type TakeRoute = 'startTake' | 'stopTake' | 'deleteTake' | 'listTakes' | 'getTake' | 'getMaster';

export function takeRoutes({ takes }: ApiPorts): Pick<RouteHandlers, TakeRoute> {
  return {
    listTakes: () => takes.list(),
    getTake: ({ params }) => takes.get(params.id),
    startTake: async ({ body }, ctx) => {
      const take = await takes.start(body.cameras ?? null);
      ctx.set('Location', `/api/takes/${take.id}`);
      return take;
    },
    stopTake: ({ params }) => takes.stop(params.id),
    deleteTake: async ({ params }) => {
      await takes.remove(params.id);
      return undefined;
    },
    getMaster: async ({ params, query }, ctx) => {
      const master = await takes.master(params.id, params.camera, query.segment);
      await sendFile(ctx, master.path, master.fileName);
      return undefined;
    },
  };
}

async function sendFile(ctx: Context, path: string, fileName: string): Promise<void> {
  const { size, mtime } = await stat(path);
  ctx.set('Accept-Ranges', 'bytes');
  ctx.lastModified = mtime;
  ctx.attachment(fileName);
  ctx.type = 'video/x-matroska';
  const range = parseByteRange(ctx.get('Range'), size);
  if (range === null) {
    ctx.length = size;
    ctx.body = createReadStream(path);
    return;
  }
  ctx.status = 206;
  ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${size}`);
  ctx.length = range.end - range.start + 1;
  ctx.body = createReadStream(path, range);
}
