import { constants } from 'node:fs';
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import { parseByteRange } from '../../../common/byte-range.ts';
import { type DiskFile, open } from '../../../common/disk-fs.ts';
import type { ApiPorts } from '../../contract/ports.ts';
import { ApiError } from '../api-error.ts';
import type { RouteHandlers } from '../router.ts';

type TakeRoute =
  | 'startTake'
  | 'stopTake'
  | 'deleteTake'
  | 'verifyTake'
  | 'listTakes'
  | 'getTake'
  | 'getMaster';

/** A piece of a download: many clients that read slowly hold one each. */
const pieceBytes = 256 * 1024;

/** Takes and their masters. */
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
    verifyTake: ({ params }) => takes.verify(params.id),
    getMaster: async ({ params, query }, ctx) => {
      const master = await takes.master(params.id, params.camera, query.segment);
      await sendFile(ctx, master.path, master.fileName);
      return undefined;
    },
  };
}

/** The file that was checked is the one that is sent: never a link's target, and nothing but a regular file. */
async function sendFile(ctx: Context, path: string, fileName: string): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((cause: unknown) => {
    throw new ApiError('TAKE_NOT_FOUND', `${fileName} cannot be read from its disk.`, { cause });
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new ApiError('TAKE_NOT_FOUND', `${fileName} is not a file on the disk.`);
    ctx.set('Accept-Ranges', 'bytes');
    ctx.lastModified = found.mtime;
    ctx.attachment(fileName);
    ctx.type = 'video/x-matroska';
    const range = parseByteRange(ctx.get('Range'), found.size);
    if (range === 'unsatisfiable')
      throw new ApiError('RANGE_UNSATISFIABLE', `The file has ${found.size} bytes.`);
    const part = range === 'whole' ? null : range;
    if (part !== null) {
      ctx.status = 206;
      ctx.set('Content-Range', `bytes ${part.start}-${part.end}/${found.size}`);
    }
    ctx.length = part === null ? found.size : part.end - part.start + 1;
    ctx.body = contentOf(handle, part ?? { start: 0, end: found.size - 1 });
  } catch (error) {
    handle.discard();
    throw error;
  }
}

/** Closes the file at the end, and if the client leaves, also before the first piece. */
function contentOf(file: DiskFile, part: { readonly start: number; readonly end: number }): Readable {
  const content = Readable.from(file.pieces(part, pieceBytes), {
    objectMode: false,
    highWaterMark: pieceBytes,
  });
  return content.once('close', () => file.discard());
}
