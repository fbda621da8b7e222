import { PassThrough } from 'node:stream';
import type { ApiEvent } from '../../contract/index.ts';
import type { ApiPorts } from '../../contract/ports.ts';
import type { RouteHandlers } from '../router.ts';

const keepAliveMs = 15_000;
/**
 * A client with more than this and one whole status in its queue has stopped reading: it is cut off, reconnects and gets the
 * newest state.
 */
const maxBacklogBytes = 128 * 1024;

/** `GET /api/events`: starts with the whole status, then every change, as server-sent events. */
export function eventRoutes(ports: ApiPorts): Pick<RouteHandlers, 'events'> {
  return {
    events: async (_request, ctx) => {
      const stream = new PassThrough();
      const write = (text: string) => {
        if (stream.writableLength + stream.readableLength > maxBacklogBytes) {
          stream.destroy();
          ctx.res.destroy();
        } else if (!stream.destroyed) stream.write(text);
      };
      const send = (event: ApiEvent) => write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      write('retry: 1000\n\n');
      send({ type: 'status', status: await ports.status() });
      const unsubscribe = ports.subscribe(send);
      const keepAlive = setInterval(() => write(': still here\n\n'), keepAliveMs);
      const end = () => {
        clearInterval(keepAlive);
        unsubscribe();
        stream.destroy();
      };
      ctx.req.once('close', end);
      stream.once('close', end);
      ctx.set('Cache-Control', 'no-cache');
      ctx.set('X-Accel-Buffering', 'no');
      ctx.type = 'text/event-stream';
      ctx.body = stream;
      return undefined;
    },
  };
}
