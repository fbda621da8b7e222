import type { Logger } from 'pino';
import { describeError } from '../../../common/errors.ts';
import { maxOutputs } from '../../../media/index.ts';
import { resolveConfigPath } from '../../config/load.ts';
import { readSettingFile } from '../../config/read-setting-file.ts';
import type { OutputSettings } from '../../config/schema.ts';
import type { Feed, Output, OutputFlow, SourceStatus } from '../../contract/index.ts';
import type { MediaOutput, OutputFigures } from '../media-flows.ts';
import { authorityIn, ServerFileError, tokenIn } from '../server-files.ts';
import { conditionOfAll, flowOf, outputOf } from './output-view.ts';
import { Lingering, sendableFeeds, type Target, targetsOf } from './targets.ts';

export interface OutputsOptions {
  /** Paths in the settings are relative to it. */
  readonly configFile: string;
  /** All feeds as the API shows them. */
  readonly feeds: () => readonly Feed[];
  /** Sources of this machine and of linked cameras: their feeds are expected. */
  readonly expected: () => readonly Pick<SourceStatus, 'id' | 'state'>[];
  readonly mediaRuns: () => boolean;
  /** Their state in the media process. */
  readonly figures: () => readonly OutputFigures[];
  /** The wanted outputs changed: the media process needs the new list. */
  readonly reconfigure: () => Promise<void>;
  readonly log: Logger;
}

type Secrets = Pick<MediaOutput, 'token' | 'ca'>;

/** A publisher that reconnects is back within this time. */
const lingerMs = 30_000;

/** Feeds that are sent on to other servers unchanged. The media process sends them; this says which, and reports their state. */
export class Outputs {
  readonly #options: OutputsOptions;
  readonly #lingering = new Lingering(lingerMs);
  readonly #since = new Map<string, { readonly state: Output['state']; readonly at: string }>();
  #outputs: readonly OutputSettings[] = [];
  #secrets = new Map<string, Secrets>();
  #broken = new Map<string, string>();
  #configured = '';
  #held: ReadonlySet<string> = new Set();

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  /** Takes over the settings. An output whose files cannot be read says so in its status, and is tried again. */
  async apply(outputs: readonly OutputSettings[]): Promise<void> {
    const secrets = new Map<string, Secrets>();
    const broken = new Map<string, string>();
    for (const output of outputs.filter(({ enabled }) => enabled)) {
      try {
        secrets.set(output.id, await this.#secretsOf(output));
      } catch (error) {
        // A sentence says all that an owner needs; the log has the cause.
        const reason = error instanceof ServerFileError ? error.message : describeError(error);
        broken.set(output.id, reason);
        // The same reason again and again is logged once.
        if (this.#broken.get(output.id) === reason) continue;
        this.#options.log.error({ err: error, output: output.id }, 'an output cannot be set up');
      }
    }
    this.#outputs = outputs;
    this.#secrets = secrets;
    this.#broken = broken;
    for (const id of this.#since.keys()) if (!outputs.some((one) => one.id === id)) this.#since.delete(id);
  }

  /** Whether an output could not be set up, which may work later. */
  get hasBroken(): boolean {
    return this.#broken.size > 0;
  }

  /** What the media process is to send. */
  wanted(): readonly MediaOutput[] {
    const wanted = this.#targets().map((target) => {
      const { tlsFingerprint = null } = this.#outputs.find(({ id }) => id === target.output) ?? {};
      return {
        ...target,
        tlsFingerprint,
        ...(this.#secrets.get(target.output) ?? { token: null, ca: null }),
      };
    });
    this.#configured = keyOf(wanted);
    this.#held = new Set(wanted.map(({ feed }) => feed));
    return wanted;
  }

  /** Whether the media process keeps a place for this feed on behalf of an output. */
  holds(feed: string): boolean {
    return this.#held.has(feed);
  }

  /** There are new figures of the feeds: `*` may now include others. Called a few times a second. */
  look(): void {
    if (!this.#outputs.some(({ feed, enabled }) => enabled && feed === '*')) return;
    if (keyOf(this.#targets()) === this.#configured) return;
    this.#options.reconfigure().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the media process cannot be configured for the outputs');
    });
  }

  status(): Output[] {
    const { feeds, figures, mediaRuns } = this.#options;
    if (this.#outputs.length === 0) return [];
    const known = { feeds: feeds(), figures: figures(), mediaRuns: mediaRuns() };
    const targets = this.#targets();
    return this.#outputs.map((output) => {
      const flows = targets
        .filter((target) => target.output === output.id)
        .map((target) =>
          flowOf(target, {
            figures: known.figures.find((one) => one.output === output.id && one.feed === target.feed),
            feed: known.feeds.find(({ id }) => id === target.feed),
            mediaRuns: known.mediaRuns,
          }),
        );
      const condition = this.#conditionOf(output, flows);
      return outputOf(output, { condition, flows, since: this.#sinceOf(output.id, condition.state) });
    });
  }

  #conditionOf({ id, enabled, feed }: OutputSettings, flows: readonly OutputFlow[]) {
    if (!enabled) return { state: 'off', reason: 'Switched off in the settings.' } as const;
    const broken = this.#broken.get(id);
    if (broken !== undefined) return { state: 'failed', reason: broken } as const;
    return conditionOfAll(feed, flows);
  }

  /** All that can be sent; beyond what the media process takes, the first ones count. */
  #targets(): readonly Target[] {
    const { feeds, expected } = this.#options;
    const ready = this.#outputs.filter(({ id, enabled }) => enabled && !this.#broken.has(id));
    const present = ready.some(({ feed }) => feed === '*') ? sendableFeeds(feeds(), expected()) : [];
    const all = this.#lingering.see(present, performance.now());
    return ready.flatMap((output) => targetsOf(output, all)).slice(0, maxOutputs);
  }

  #sinceOf(id: string, state: Output['state']): string {
    const known = this.#since.get(id);
    if (known?.state === state) return known.at;
    const at = new Date().toISOString();
    this.#since.set(id, { state, at });
    return at;
  }

  async #secretsOf({ token, tokenFile, caFile }: OutputSettings): Promise<Secrets> {
    const inFile = tokenFile === undefined ? null : tokenIn(await this.#read(tokenFile), tokenFile);
    const ca = caFile === undefined ? null : authorityIn(await this.#read(caFile), caFile);
    return { token: token ?? inFile, ca };
  }

  async #read(file: string): Promise<string> {
    return (await readSettingFile(resolveConfigPath(this.#options.configFile, file))).toString('utf8');
  }
}

function keyOf(targets: readonly Target[]): string {
  return JSON.stringify(targets.map(({ output, feed, url }) => [output, feed, url]));
}
