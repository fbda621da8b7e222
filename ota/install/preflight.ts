import type { Fetch } from '../channel/channel-client.ts';
import { OtaError } from '../errors.ts';

/** What is known about a bundle's address before RAUC gets it. */
export interface RemoteBundle {
  readonly sizeBytes: number;
}

/**
 * Asks for the first bytes of a bundle, like RAUC's streaming, for a clear error if that cannot work.
 * @throws {OtaError} `DOWNLOAD_NO_RANGE`, `BUNDLE_NOT_FOUND`, `DOWNLOAD_STALLED`, `DOWNLOAD_FAILED`, `BUNDLE_TRUNCATED`
 */
export async function preflight(
  fetch: Fetch,
  url: string,
  signal: AbortSignal,
  options: { expectedBytes?: number | null; timeoutMs?: number } = {},
): Promise<RemoteBundle> {
  const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { range: 'bytes=0-3' },
      signal: AbortSignal.any([signal, limit]),
    });
    await (response.status === 206 ? response.arrayBuffer() : response.body?.cancel());
  } catch (cause) {
    if (signal.aborted) throw new OtaError('UPDATE_CANCELLED', 'the installation was cancelled', { cause });
    if (limit.aborted) throw new OtaError('DOWNLOAD_STALLED', 'the server does not answer', { cause });
    throw new OtaError('DOWNLOAD_FAILED', `the server of the bundle cannot be reached`, { cause });
  }
  if (response.status === 404 || response.status === 410) {
    throw new OtaError('BUNDLE_NOT_FOUND', 'the server has no such bundle');
  }
  if (response.status === 200) {
    throw new OtaError('DOWNLOAD_NO_RANGE', 'the server does not serve parts of files (HTTP Range)', {
      hint: 'use a web server that answers Range requests with 206',
    });
  }
  if (response.status !== 206) {
    throw new OtaError('DOWNLOAD_FAILED', `the server of the bundle answered ${response.status}`);
  }
  const size = /^bytes 0-3\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (size === undefined)
    throw new OtaError('DOWNLOAD_NO_RANGE', 'the server does not say how long the bundle is');
  const sizeBytes = Number(size);
  const expected = options.expectedBytes ?? null;
  if (expected !== null && sizeBytes !== expected) {
    throw new OtaError('BUNDLE_TRUNCATED', `the bundle has ${sizeBytes} bytes instead of ${expected}`);
  }
  return { sizeBytes };
}
