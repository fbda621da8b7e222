import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { parseByteRange } from '../../common/byte-range.ts';
import { hasErrorCode } from '../../common/errors.ts';
import type { CachedBundle } from './bundle-cache.ts';

/**
 * Answers a camera's request for the cached bundle as RAUC's streaming needs it: `Range`, `HEAD`, a strong ETag that is the
 * bundle's hash. 404 if none is cached. Rejects if the disk fails.
 */
export async function serveBundle(
  bundle: CachedBundle | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  if (bundle === null) {
    response.writeHead(404).end();
    return;
  }
  const etag = `"${bundle.sha256}"`;
  const stale = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
  const range = stale ? 'whole' : parseByteRange(request.headers.range, bundle.sizeBytes);
  const common = { 'accept-ranges': 'bytes', etag, 'content-type': 'application/octet-stream' };
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'content-range': `bytes */${bundle.sizeBytes}` }).end();
    return;
  }
  const { start, end } = range === 'whole' ? { start: 0, end: bundle.sizeBytes - 1 } : range;
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...common,
    'content-length': end - start + 1,
    ...(range === 'whole' ? {} : { 'content-range': `bytes ${start}-${end}/${bundle.sizeBytes}` }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    await pipeline(createReadStream(bundle.path, { start, end }), response);
  } catch (error) {
    response.destroy();
    // The camera went away in the middle, or the cache has replaced its bundle: it will ask again.
    if (!hasErrorCode(error, 'ERR_STREAM_PREMATURE_CLOSE', 'ENOENT')) throw error;
  }
}
