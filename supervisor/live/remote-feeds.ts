import type { Logger } from 'pino';
import { describeError } from '../../common/errors.ts';
import { MjpegPull, type MjpegPullState, type PushStatus } from '../../media/index.ts';
import { resolveConfigPath } from '../config/load.ts';
import { readSecretFile } from '../config/read-setting-file.ts';
import type { RemoteConfig } from '../config/schema.ts';
import type { SourceStatus } from '../contract/index.ts';
import type { JpegPublication } from '../contract/ports.ts';
import { ServiceSlot } from '../process/service-slot.ts';
import type { JpegFeeds } from './jpeg/jpeg-feeds.ts';
import type { Push } from './media-flows.ts';
import { ServerFileError, tokenIn } from './server-files.ts';

/** What remote feeds need. */
export interface RemoteFeedsOptions {
  readonly jpegFeeds: JpegFeeds;
  /** Paths in the settings are relative to it. */
  readonly configFile: string;
  /** The state of the media process's pulls. */
  readonly pulls: () => readonly PushStatus[];
  readonly onChange: () => void;
  readonly log: Logger;
}

type WhepRemote = Extract<RemoteConfig, { kind: 'whep' }>;
type MjpegRemote = Extract<RemoteConfig, { kind: 'mjpeg' }>;

/** Feeds that live elsewhere and are shown beside our own, copied unchanged. */
export class RemoteFeeds {
  readonly #options: RemoteFeedsOptions;
  readonly #slots = new Map<string, ServiceSlot>();
  readonly #states = new Map<string, MjpegPullState>();
  #remotes: readonly RemoteConfig[] = [];
  #pulls: readonly Push[] = [];
  #broken = new Map<string, string>();

  constructor(options: RemoteFeedsOptions) {
    this.#options = options;
  }

  /** Brings the pulls to what is wanted. A remote whose secrets cannot be read reports it in its status. */
  async apply(remotes: readonly RemoteConfig[]): Promise<void> {
    const broken = new Map<string, string>();
    const pulls: Push[] = [];
    this.#remotes = remotes;
    for (const [id, slot] of this.#slots) {
      if (remotes.some((remote) => remote.id === id && remote.kind === 'mjpeg')) continue;
      await slot.close();
      this.#slots.delete(id);
      this.#options.jpegFeeds.remove(id);
    }
    for (const remote of remotes) {
      try {
        if (remote.kind === 'whep') pulls.push(await this.#pullOf(remote));
        else await this.#run(remote);
      } catch (error) {
        const reason = error instanceof ServerFileError ? error.message : describeError(error);
        broken.set(remote.id, reason);
        // A reason that repeats is logged once.
        if (this.#broken.get(remote.id) === reason) continue;
        this.#options.log.error({ err: error, remote: remote.id }, 'a remote feed cannot be set up');
      }
    }
    this.#pulls = pulls;
    this.#broken = broken;
  }

  /** Whether a remote could not be set up, but may be later. */
  get hasBroken(): boolean {
    return this.#broken.size > 0;
  }

  /** What the media process pulls. */
  pulls(): readonly Push[] {
    return this.#pulls;
  }

  has(id: string): boolean {
    return this.#remotes.some((remote) => remote.id === id);
  }

  /** The state of each remote, in the same terms as sources. */
  status(): SourceStatus[] {
    return this.#remotes.map(({ id, kind, label }) => {
      const { state, reason } = this.#stateOf(id, kind);
      return {
        id,
        kind,
        label: label ?? id,
        state,
        reason,
        restarts: this.#restartsOf(id),
        droppedFrames: null,
        encoder: null,
      };
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }

  #stateOf(id: string, kind: RemoteConfig['kind']): Pick<SourceStatus, 'state' | 'reason'> {
    const broken = this.#broken.get(id);
    if (broken !== undefined) return { state: 'waiting', reason: broken };
    const pull = kind === 'whep' ? this.#pullStatus(id) : this.#states.get(id);
    switch (pull?.state) {
      case 'connected':
        return { state: 'running', reason: null };
      case 'failed':
        return { state: 'waiting', reason: pull.reason };
      default:
        return { state: 'starting', reason: null };
    }
  }

  #restartsOf(id: string): number {
    return Math.max(0, (this.#pullStatus(id)?.connections ?? 0) - 1);
  }

  #pullStatus(id: string): PushStatus | undefined {
    return this.#options.pulls().find(({ feed }) => feed === id);
  }

  async #pullOf({ id, url, tokenFile, tlsFingerprint }: WhepRemote): Promise<Push> {
    const token = tokenFile === undefined ? null : tokenIn(await this.#secret(tokenFile), tokenFile);
    return { feed: id, url, token, tlsFingerprint: tlsFingerprint ?? null };
  }

  async #run({ id, url, username, password: own, passwordFile }: MjpegRemote): Promise<void> {
    const password = passwordFile === undefined ? (own ?? null) : await this.#secret(passwordFile);
    const target = {
      url,
      ...(username === undefined ? {} : { username }),
      ...(password === null ? {} : { password }),
    };
    const slot = this.#slots.get(id) ?? new ServiceSlot(`remote ${id}`, this.#options.log);
    this.#slots.set(id, slot);
    await slot.set(target, (signal) => this.#pullPictures(id, target, signal));
  }

  async #pullPictures(id: string, target: { readonly url: string }, signal: AbortSignal): Promise<void> {
    const { jpegFeeds, onChange, log } = this.#options;
    const refusals = { count: 0 };
    const held: { publication: JpegPublication | null } = { publication: null };
    const release = () => {
      held.publication?.[Symbol.dispose]();
      held.publication = null;
    };
    const pull = new MjpegPull({
      target,
      onPicture: (picture) => {
        held.publication ??= jpegFeeds.pull(id);
        if (held.publication.frame(picture) !== null) refusals.count += 1;
      },
      onState: (state) => {
        this.#states.set(id, state);
        if (state.state === 'failed') release();
        onChange();
      },
      logger: log.child({ remote: id }),
    });
    await pull.run(signal);
    release();
    this.#states.delete(id);
    if (refusals.count > 0)
      log.info({ remote: id, pictures: refusals.count }, 'pictures of a remote were left out');
  }

  async #secret(file: string): Promise<string> {
    return await readSecretFile(resolveConfigPath(this.#options.configFile, file));
  }
}
