import type { KeyObject } from 'node:crypto';
import { OtaError } from '../errors.ts';
import { type Channel, readChannel } from './manifest.ts';

/** The global fetch, or a test's. */
export type Fetch = typeof globalThis.fetch;

const MAX_CHANNEL_BYTES = 1024 * 1024;

/**
 * Fetches `<base>/<name>.json` and checks it.
 * @throws {OtaError} `CHANNEL_UNREACHABLE`, or what `readChannel` throws
 */
export async function fetchChannel(
  fetch: Fetch,
  source: { baseUrl: string; name: string; keys: readonly KeyObject[]; lastSequence: number | null },
  signal: AbortSignal,
  timeoutMs = 30_000,
): Promise<Channel> {
  const base = source.baseUrl.endsWith('/') ? source.baseUrl : `${source.baseUrl}/`;
  const url = new URL(`${source.name}.json`, base);
  let text: string;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(url, { signal: limit, headers: { accept: 'application/json' } });
    if (!response.ok) throw new OtaError('CHANNEL_UNREACHABLE', `${url.host} answered ${response.status}`);
    text = await boundedText(response);
  } catch (cause) {
    throw new OtaError('CHANNEL_UNREACHABLE', `could not fetch the update channel ${url.href}`, { cause });
  }
  return readChannel(text, { ...source, baseUrl: base });
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > MAX_CHANNEL_BYTES)
      throw new OtaError('CHANNEL_INVALID', `the channel is longer than ${MAX_CHANNEL_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
