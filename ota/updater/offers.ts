import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Fetch, fetchChannel } from '../channel/channel-client.ts';
import { publicKeysOf } from '../channel/envelope.ts';
import type { Channel, Release } from '../channel/manifest.ts';
import { findBundles } from '../channel/offline.ts';
import type { Rauc } from '../install/rauc.ts';
import { readKept, replaceFile } from '../store.ts';
import { isVersion } from '../version.ts';
import type { UpdatePaths, UpdateSettings } from './types.ts';

const seenSchema = z.object({ sequences: z.record(z.string(), z.int().nonnegative()) });

/** What could be installed: the channel's releases, and bundles on plugged-in media. */
export class Offers {
  readonly #fetch: Fetch;
  readonly #rauc: Rauc;
  readonly #paths: UpdatePaths;
  readonly #seenFile: string;
  readonly #logger: Logger;
  #channel: Channel | null = null;
  #local: readonly Release[] = [];
  readonly #inspected = new Map<string, Release | null>();

  constructor(options: { fetch: Fetch; rauc: Rauc; paths: UpdatePaths; folder: string; logger: Logger }) {
    this.#fetch = options.fetch;
    this.#rauc = options.rauc;
    this.#paths = options.paths;
    this.#seenFile = join(options.folder, 'channels.json');
    this.#logger = options.logger;
  }

  /** Everything that is known now, as one channel. */
  all(name: string): Channel {
    const releases = [...this.#local, ...(this.#channel?.channel === name ? this.#channel.releases : [])];
    return { schema: 1, channel: name, sequence: this.#channel?.sequence ?? 0, releases };
  }

  /** @throws {OtaError} why the channel cannot be read */
  async refreshChannel(settings: UpdateSettings, signal: AbortSignal): Promise<void> {
    if (settings.url === null) {
      this.#channel = null;
      return;
    }
    const name = settings.channel;
    const seen = await this.#seen();
    const keys = publicKeysOf(await readFile(this.#paths.channelKeys, 'utf8'));
    const source = { baseUrl: settings.url, name, keys, lastSequence: seen[name] ?? null };
    this.#channel = await fetchChannel(this.#fetch, source, signal);
    if (this.#channel.sequence === seen[name]) return;
    const sequences = { ...seen, [name]: this.#channel.sequence };
    await replaceFile(this.#seenFile, `${JSON.stringify({ sequences })}\n`);
  }

  /** Looks for bundles on media; each is verified once, and one that is not ours is skipped. */
  async refreshLocal(signal: AbortSignal): Promise<void> {
    const found = await findBundles(this.#paths.offline, (path, error) =>
      this.#logger.warn({ err: error, path }, 'a medium cannot be searched for bundles'),
    );
    const releases: Release[] = [];
    for (const { path, sizeBytes } of found) {
      const key = `${path} ${sizeBytes}`;
      if (!this.#inspected.has(key)) this.#inspected.set(key, await this.#inspect(path, sizeBytes, signal));
      const release = this.#inspected.get(key);
      if (release !== undefined && release !== null) releases.push(release);
    }
    const present = new Set(found.map(({ path, sizeBytes }) => `${path} ${sizeBytes}`));
    for (const key of this.#inspected.keys()) if (!present.has(key)) this.#inspected.delete(key);
    this.#local = releases;
  }

  async #inspect(path: string, sizeBytes: number, signal: AbortSignal): Promise<Release | null> {
    try {
      const { version, compatible, description } = await this.#rauc.inspect(path, signal);
      if (version === null || !isVersion(version)) return null;
      const known = { version, compatible, sizeBytes, notes: description ?? '', url: path };
      // The signature covers the hash; the machine's own minimum is checked when it is installed.
      return { ...known, sha256: '', minimumVersion: null, rolloutPercent: 100 };
    } catch (error) {
      this.#logger.warn({ err: error, path }, 'a bundle on a medium is of no use');
      return null;
    }
  }

  async #seen(): Promise<Record<string, number>> {
    const parse = (text: string) => seenSchema.parse(JSON.parse(text)).sequences;
    return (await readKept(this.#seenFile, parse, this.#logger)) ?? {};
  }
}
