import { PassThrough } from 'node:stream';
import type { ApiEvent } from '../contract.ts';
import type { ApiPorts } from '../ports.ts';
import type { RouteHandlers } from '../router.ts';

const keepAliveMs = 15_000;
/** A client that lets this much pile up has stopped reading: it is cut off, reconnects and gets the newest state. */
const maxBacklogBytes = 2 * 1024 * 1024;

/** `GET /api/events`: starts with the whole status, then every change, as server-sent events. */
export function eventRoutes(ports: ApiPorts): Pick<RouteHandlers, 'events'> {
  return {
    events: async (_request, ctx) => {
      const stream = new PassThrough({ highWaterMark: maxBacklogBytes });
      const send = (event: ApiEvent) => {
        if (stream.writableLength > maxBacklogBytes) stream.destroy();
        if (!stream.destroyed) stream.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      };
      stream.write('retry: 1000\n\n');
      send({ type: 'status', status: await ports.status() });
      const unsubscribe = ports.subscribe(send);
      const keepAlive = setInterval(() => stream.write(': still here\n\n'), keepAliveMs);
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
