import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Context } from 'koa';
import type { ApiPorts, FrameWatch } from '../../contract/ports.ts';
import { ApiError } from '../api-error.ts';
import type { RouteHandlers } from '../router.ts';
import { showFrames } from './show-frames.ts';

/** How long to wait for a first picture: a decoder has to start, and a keyframe has to come. */
const firstPictureMs = 5000;
const retryAfterS = 2;
const boundary = 'frame';

/** `GET /stream/:feed.mjpg` and `.jpg`: pictures for clients without WebRTC. */
export function pictureRoutes({ pictures }: ApiPorts): Pick<RouteHandlers, 'streamPictures' | 'getPicture'> {
  return {
    getPicture: async ({ params }, ctx) => {
      noStore(ctx);
      ctx.type = 'image/jpeg';
      if (ctx.method === 'HEAD') return undefined;
      using watch = pictures.watch(params.feed);
      ctx.body = await firstPicture(watch, params.feed, ctx);
      return undefined;
    },
    streamPictures: async ({ params }, ctx) => {
      if (ctx.method !== 'HEAD') await stream(pictures.watch(params.feed), params.feed, ctx);
      noStore(ctx);
      ctx.set('Content-Type', `multipart/x-mixed-replace; boundary=${boundary}`);
      return undefined;
    },
  };
}

/** Streams until the client leaves. Waits for the first picture, so that a feed without pictures gets an honest answer. */
async function stream(watch: FrameWatch, feed: string, ctx: Context): Promise<void> {
  try {
    const first = await firstPicture(watch, feed, ctx);
    const body = new PassThrough();
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    // A client that breaks off is no error; "close" follows.
    body.once('error', () => gone.abort());
    body.write(`--${boundary}\r\n`);
    body.write(part(first));
    const sink = {
      write: async (frame: Buffer) => {
        if (body.write(part(frame))) return;
        await once(body, 'drain', { signal: gone.signal }).catch(() => {}); // it left; the signal ends the loop
      },
      destroy: () => body.destroy(),
    };
    void showFrames(watch, sink, gone.signal).then(() => {
      watch[Symbol.dispose]();
      body.destroy();
    });
    ctx.body = body;
  } catch (error) {
    watch[Symbol.dispose]();
    throw error;
  }
}

/** The delimiter follows each picture at once: browsers show a picture once they have seen its end. */
function part(jpeg: Buffer): Buffer {
  const head = `Content-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), jpeg, Buffer.from(`\r\n--${boundary}\r\n`)]);
}

async function firstPicture(watch: FrameWatch, feed: string, ctx: Context): Promise<Buffer> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  ctx.res.once('close', onClose);
  const picture = await watch.next(AbortSignal.any([gone.signal, AbortSignal.timeout(firstPictureMs)]));
  ctx.res.off('close', onClose);
  if (picture !== null) return picture;
  throw new ApiError('PICTURE_UNAVAILABLE', `No picture of ${feed} came within 5 s.`, {
    retryAfterS,
    hint: 'GET /api/feeds shows the state of the feed.',
  });
}

function noStore(ctx: Context): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.set('X-Accel-Buffering', 'no');
}
