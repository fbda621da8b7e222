import type { Logger } from 'pino';
import type { Feed } from '../sfu/feed.ts';
import type { FeedRegistry } from '../sfu/feed-registry.ts';
import { type LayerName, layerKey } from '../sfu/layer.ts';
import type { MediaPlane } from '../sfu/media-plane.ts';
import { Tap } from '../sfu/tap.ts';
import { SignalingError } from '../signaling/errors.ts';
import { createPull } from '../signaling/pull.ts';
import { createOutput, createPush } from '../signaling/push.ts';
import type { RemoteFlow, RemoteState } from '../signaling/remote-flow.ts';
import type { MediaConfig, MediaEvent, OutputStatus, PushStatus } from './protocol.ts';
import { reconcile } from './reconcile.ts';

/** What the flows need. */
export interface ConfiguredFlowsOptions {
  readonly feeds: FeedRegistry;
  readonly datapath: MediaPlane;
  readonly logger: Logger;
  /** Whether a WHIP publisher has the name. */
  readonly isPublished: (feed: string) => boolean;
  /** Ends the session of the WHIP publisher with the name, if there is one. */
  readonly endPublisher: (feed: string) => void;
  readonly onEvent: (event: MediaEvent) => void;
}

interface OutputFlow extends AsyncDisposable {
  readonly flow: RemoteFlow;
  readonly status: OutputStatus;
}

/** Without the URL: it may bear a stream key. */
function outputStatus(output: string, { url: _url, ...state }: RemoteState): OutputStatus {
  return { output, ...state };
}

/** What runs because of the configuration: ingests, pushes, outputs, pulls and taps. */
export class ConfiguredFlows implements AsyncDisposable {
  readonly #options: ConfiguredFlowsOptions;
  readonly #ingests = new Map<string, { key: string; item: AsyncDisposable }>();
  readonly #pushes = new Map<string, { key: string; item: RemoteFlow }>();
  readonly #outputs = new Map<string, { key: string; item: OutputFlow }>();
  readonly #pulls = new Map<string, { key: string; item: RemoteFlow }>();
  readonly #taps = new Map<string, { key: string; item: Tap }>();

  constructor(options: ConfiguredFlowsOptions) {
    this.#options = options;
  }

  /** True if the configuration says who publishes this feed. */
  fills(feed: string): boolean {
    return this.#ingests.has(`ingest ${feed}`) || this.#pulls.has(`pull ${feed}`);
  }

  pushes(): PushStatus[] {
    return [...this.#pushes.values()].map(({ item }) => item.status);
  }

  outputs(): OutputStatus[] {
    return [...this.#outputs.values()].map(({ item }) => item.status);
  }

  pulls(): PushStatus[] {
    return [...this.#pulls.values()].map(({ item }) => item.status);
  }

  /** Brings everything to `config`; `problems` names what cannot be set up. */
  async apply(config: MediaConfig, problems: string[]): Promise<void> {
    await this.#applyIngests(config, problems);
    await this.#applyPushes(config, problems);
    await this.#applyPulls(config, problems);
    await this.#applyTaps(config, problems);
    // Last: no server of others keeps anything of ours from being set up.
    await this.#applyOutputs(config, problems);
    const named = [config.ingests, config.pushes, config.pulls, config.taps, config.outputs].flat();
    this.#options.feeds.keepOnly(new Set(named.map(({ feed }) => feed)));
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    for (const { item } of this.#pushes.values()) item.tick(nowMs);
    for (const { item } of this.#outputs.values()) item.flow.tick(nowMs);
    for (const { item } of this.#pulls.values()) item.tick(nowMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of [this.#taps, this.#outputs, this.#pushes, this.#pulls, this.#ingests]) {
      await Promise.all([...running.values()].map(({ item }) => item[Symbol.asyncDispose]()));
      running.clear();
    }
  }

  async #applyIngests(config: MediaConfig, problems: string[]): Promise<void> {
    const { datapath, logger, endPublisher } = this.#options;
    await reconcile(
      this.#ingests,
      config.ingests,
      (ingest) => `ingest ${layerKey(ingest)}`,
      problems,
      async (ingest) => {
        const item = await datapath.openIngest({
          feed: this.#layer(ingest),
          rtpPort: ingest.rtpPort,
          audioRtpPort: ingest.audio?.rtpPort ?? null,
          tellsCaptureTime: ingest.tellsCaptureTime ?? false,
          logger,
        });
        // A camera of this machine takes precedence over one elsewhere with the same name: otherwise two would alternate in one
        // picture.
        endPublisher(ingest.feed);
        return item;
      },
    );
  }

  async #applyPushes(config: MediaConfig, problems: string[]): Promise<void> {
    const { datapath, logger } = this.#options;
    await reconcile(
      this.#pushes,
      config.pushes,
      (push) => `push ${layerKey(push)}`,
      problems,
      async (push) => {
        const item = createPush({
          config: push,
          feed: this.#layer(push),
          datapath,
          logger: logger.child({ push: layerKey(push) }),
          onStatus: (status) => this.#options.onEvent({ event: 'push', push: status }),
        });
        item.start();
        return item;
      },
    );
  }

  async #applyOutputs(config: MediaConfig, problems: string[]): Promise<void> {
    const { datapath, logger, onEvent } = this.#options;
    await reconcile(
      this.#outputs,
      config.outputs,
      ({ output, feed }) => `output ${output}/${feed}`,
      problems,
      async ({ output, ...target }) => {
        const { feed } = target;
        const flow = createOutput({
          output,
          config: target,
          feed: this.#options.feeds.hold(feed),
          datapath,
          logger: logger.child({ output, feed }),
          onStatus: (status) => onEvent({ event: 'output', output: outputStatus(output, status) }),
        });
        flow.start();
        return {
          flow,
          get status() {
            return outputStatus(output, flow.status);
          },
          [Symbol.asyncDispose]: () => flow[Symbol.asyncDispose](),
        };
      },
    );
  }

  async #applyPulls(config: MediaConfig, problems: string[]): Promise<void> {
    const { datapath, logger } = this.#options;
    await reconcile(
      this.#pulls,
      config.pulls,
      (pull) => `pull ${pull.feed}`,
      problems,
      async (pull) => {
        this.#refuseTaken(pull.feed);
        const item = createPull({
          config: pull,
          feed: this.#options.feeds.hold(pull.feed),
          datapath,
          logger: logger.child({ pull: pull.feed }),
          maxBitrateKbps: config.maxPublisherBitrateKbps,
          onStatus: (status) => this.#options.onEvent({ event: 'pull', pull: status }),
        });
        item.start();
        return item;
      },
    );
  }

  async #applyTaps(config: MediaConfig, problems: string[]): Promise<void> {
    const { datapath, logger } = this.#options;
    await reconcile(
      this.#taps,
      config.taps,
      (tap) => `tap ${tap.feed}`,
      problems,
      async ({ feed, socketPath }) => {
        const item = new Tap({ feed: this.#options.feeds.hold(feed), datapath, socketPath, logger });
        await item.open();
        return item;
      },
    );
  }

  #layer({ feed, layer }: { readonly feed: string; readonly layer?: LayerName | undefined }): Feed {
    const held = this.#options.feeds.hold(feed);
    return layer === 'low' ? held.openLow() : held;
  }

  /** A name that one of our publishers has is not pulled from elsewhere; the next configuration tries again. */
  #refuseTaken(feed: string): void {
    if (this.#options.isPublished(feed) || this.#ingests.has(`ingest ${feed}`)) {
      throw new SignalingError('FEED_BUSY', `feed ${feed} has a publisher`);
    }
  }
}
