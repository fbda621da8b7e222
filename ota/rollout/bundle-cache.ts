import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { errorCode } from '../../common/errors.ts';
import { ifThere } from '../../common/files.ts';
import type { Fetch } from '../channel/channel-client.ts';
import type { Release } from '../channel/manifest.ts';
import { OtaError } from '../errors.ts';

/** A verified bundle on this machine's disk. */
export interface CachedBundle {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly version: string;
}

type Wanted = Pick<Release, 'url' | 'sha256' | 'sizeBytes' | 'version'>;

/** Left free for everything else, in bytes. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/**
 * Keeps one bundle: downloaded once, resumed after an interruption, and only served after its hash and (by `verify`) its
 * signature were checked.
 */
export class BundleCache {
  readonly #folder: string;
  readonly #fetch: Fetch;
  readonly #verify: (path: string, signal: AbortSignal) => Promise<void>;
  readonly #logger: Logger;
  readonly #stallMs: number;
  #current: CachedBundle | null = null;
  #downloads = 0;

  constructor(options: {
    folder: string;
    fetch: Fetch;
    verify: (path: string, signal: AbortSignal) => Promise<void>;
    logger: Logger;
    stallMs?: number;
  }) {
    this.#folder = options.folder;
    this.#fetch = options.fetch;
    this.#verify = options.verify;
    this.#logger = options.logger;
    this.#stallMs = options.stallMs ?? 60_000;
  }

  get current(): CachedBundle | null {
    return this.#current;
  }

  /** Downloads begun since the start; a rollout over many cameras needs one. */
  get downloads(): number {
    return this.#downloads;
  }

  /**
   * The bundle of a release, from the disk or the network.
   * @throws {OtaError} `DISK_FULL`, `DOWNLOAD_*`, `BUNDLE_CORRUPT`, `BUNDLE_TRUNCATED`, or what `verify` throws
   */
  async ensure(
    wanted: Wanted,
    signal: AbortSignal,
    onProgress: (percent: number) => void = () => {},
  ): Promise<CachedBundle> {
    const path = join(this.#folder, `${wanted.sha256}.raucb`);
    if (this.#current?.sha256 === wanted.sha256 && (await sizeOf(path)) === wanted.sizeBytes)
      return this.#current;
    await mkdir(this.#folder, { recursive: true });
    await this.#dropOthers(wanted.sha256);
    if ((await sizeOf(path)) === null) {
      await this.#download(wanted, `${path}.part`, signal, onProgress);
      await rename(`${path}.part`, path);
    }
    try {
      await this.#check(wanted, path, signal);
    } catch (error) {
      if (error instanceof OtaError) await rm(path, { force: true });
      throw error;
    }
    this.#current = { path, sha256: wanted.sha256, sizeBytes: wanted.sizeBytes, version: wanted.version };
    return this.#current;
  }

  async #dropOthers(keep: string): Promise<void> {
    this.#current = null;
    for (const name of await readdir(this.#folder)) {
      if (/\.raucb(\.part)?$/.test(name) && !name.startsWith(keep)) {
        await rm(join(this.#folder, name), { force: true });
      }
    }
  }

  async #download(wanted: Wanted, part: string, signal: AbortSignal, onProgress: (percent: number) => void) {
    const have = (await sizeOf(part)) ?? 0;
    const { bavail, bsize } = await statfs(this.#folder);
    if (wanted.sizeBytes - have + RESERVE_BYTES > bavail * bsize) {
      throw new OtaError('DISK_FULL', 'there is no room to keep the bundle');
    }
    this.#downloads++;
    this.#logger.info({ version: wanted.version, have }, 'downloading a bundle');
    const stalled = new AbortController();
    let timer = setTimeout(() => stalled.abort(), this.#stallMs);
    const limit = AbortSignal.any([signal, stalled.signal]);
    try {
      const source = await this.#open(wanted.url, have, limit);
      let length = source.from;
      await using file = await open(part, length > 0 ? 'a' : 'w', 0o640);
      for await (const chunk of source.body) {
        clearTimeout(timer);
        timer = setTimeout(() => stalled.abort(), this.#stallMs);
        length += chunk.byteLength;
        if (length > wanted.sizeBytes)
          throw new OtaError('BUNDLE_CORRUPT', 'the bundle is longer than announced');
        await file.write(chunk);
        onProgress((length / wanted.sizeBytes) * 100);
      }
      await file.sync();
    } catch (cause) {
      if (cause instanceof OtaError) {
        if (cause.code === 'BUNDLE_CORRUPT') await rm(part, { force: true });
        throw cause;
      }
      throw downloadError(cause, signal, stalled.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The bundle from that byte on, or whole if the server prefers; also from a medium (`file:` or a path). */
  async #open(
    url: string,
    have: number,
    signal: AbortSignal,
  ): Promise<{ from: number; body: AsyncIterable<Uint8Array> }> {
    const path = localPath(url);
    if (path !== null) return { from: have, body: createReadStream(path, { start: have, signal }) };
    const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    const response = await this.#fetch(url, { headers, signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      if (response.status === 404) throw new OtaError('BUNDLE_NOT_FOUND', 'the server has no such bundle');
      // All of it is there already, or the server has another one now.
      if (response.status === 416 && have > 0) return await this.#open(url, 0, signal);
      throw new OtaError('DOWNLOAD_FAILED', `the server of the bundle answered ${response.status}`);
    }
    return { from: response.status === 206 ? have : 0, body: response.body };
  }

  async #check(wanted: Wanted, path: string, signal: AbortSignal): Promise<void> {
    const size = await sizeOf(path);
    if (size !== wanted.sizeBytes) {
      throw new OtaError('BUNDLE_TRUNCATED', `the bundle has ${size} bytes instead of ${wanted.sizeBytes}`);
    }
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
    if (hash.digest('hex') !== wanted.sha256) {
      throw new OtaError('BUNDLE_CORRUPT', 'the bundle is not the one that was announced');
    }
    await this.#verify(path, signal);
  }
}

function downloadError(cause: unknown, signal: AbortSignal, stalled: AbortSignal): OtaError {
  if (signal.aborted) return new OtaError('UPDATE_CANCELLED', 'the download was cancelled', { cause });
  if (stalled.aborted)
    return new OtaError('DOWNLOAD_STALLED', 'the download came to a standstill', { cause });
  if (errorCode(cause) === 'ENOSPC') {
    return new OtaError('DISK_FULL', 'there is no room to keep the bundle', { cause });
  }
  return new OtaError('DOWNLOAD_FAILED', 'the download broke off', { cause });
}

function localPath(url: string): string | null {
  if (url.startsWith('/')) return url;
  return url.startsWith('file:') ? fileURLToPath(url) : null;
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await ifThere(stat(path)))?.size ?? null;
  } catch (cause) {
    throw new OtaError('STORE_FAILED', `could not inspect ${path}`, { cause });
  }
}
