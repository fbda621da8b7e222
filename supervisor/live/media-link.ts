import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import {
  type ChildHost,
  type FeedStats,
  MediaClient,
  type MediaEvent,
  mediaCommand,
  type OutputStatus,
  outputViewer,
  type PushStatus,
} from '../../media/index.ts';
import type { Config } from '../config/schema.ts';
import type { Feed, LayerChoice, LayerWish, LinkedCamera } from '../contract/index.ts';
import type { Caller, SessionClaim, SessionKind, SignalingPort } from '../contract/ports.ts';
import { SupervisedChild } from '../process/supervised-child.ts';
import type { Ingest, LinkSample } from '../sources/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { HealthReporter } from '../system/health.ts';
import { feedOf } from './feed-figures.ts';
import { endpointOf, type MediaOutput, type OutputFigures, outputOf, type Push } from './media-flows.ts';

/** What the link to the media process needs. */
export interface MediaLinkOptions {
  readonly host: ChildHost;
  readonly socketPath: string;
  /** Label of a feed for people, by its id. */
  readonly labelOf: (feed: string) => string;
  /** Cameras that are linked to this hub: their clocks date the pictures. */
  readonly cameras: () => readonly LinkedCamera[];
  /** Feeds to copy from elsewhere, to send elsewhere, and to deliver to decoders, each time the media process is configured. */
  readonly pulls: () => readonly Push[];
  readonly outputs: () => readonly MediaOutput[];
  readonly taps: () => readonly { readonly feed: string; readonly socketPath: string }[];
  /** Whether a name is used by a feed outside the media process. */
  readonly isTaken: (feed: string) => boolean;
  /** Ids of the valid keys. */
  readonly goodKeys: () => readonly string[];
  readonly health: HealthReporter;
  /** Called about twice a second for each feed that is published to a hub. */
  readonly onPush: (feed: string, sample: LinkSample) => void;
  readonly onFrames: (feed: string, framesTotal: number, reordersFrames: boolean) => void;
  /** Called about twice a second, when there are new figures of all feeds. */
  readonly onFigures: () => void;
  /** Called about twice a second while the media process is gone, or silent. */
  readonly onBlind: () => void;
  readonly onChange: () => void;
  readonly log: Logger;
}

const metricsEveryMs = 500;
/** Without figures for this long it is unknown whether frames arrive. */
const blindAfterMs = 3 * metricsEveryMs;
/** A media process that has just started sees frames from each source's next keyframe on. */
const settlingMs = 3000;
/** A media process that is silent for this long hangs, and is restarted. */
const hungAfterMs = 8_000 * patience();
/** A slow board with a slow card needs its time to start one. */
const startWithinMs = 120_000 * patience();

/** How much slower than a board this machine may be: RUSHLIGHT_PATIENCE, which a rig sets if it emulates the processor. */
function patience(): number {
  const factor = Number(process.env.RUSHLIGHT_PATIENCE ?? 1);
  return Number.isFinite(factor) && factor >= 1 ? factor : 1;
}

/** Keeps the media process running and configured, and talks to it. */
export class MediaLink implements SignalingPort {
  readonly #options: MediaLinkOptions;
  readonly #client: MediaClient;
  readonly #child: SupervisedChild;
  #feeds: readonly FeedStats[] = [];
  #pushes: readonly PushStatus[] = [];
  #pulls: readonly PushStatus[] = [];
  #outputs: readonly OutputStatus[] = [];
  #wanted: Parameters<MediaLink['configure']> | null = null;
  /** Problems as they were reported last; null before the first configuration. */
  #reported: readonly string[] | null = null;
  #heardAtMs = 0;
  #figuresAtMs = Number.NEGATIVE_INFINITY;
  #connectedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: MediaLinkOptions) {
    const { host, socketPath, log } = options;
    this.#options = options;
    this.#client = new MediaClient({ socketPath, logger: log });
    this.#child = new SupervisedChild({
      host,
      spec: {
        name: 'media',
        ...mediaCommand(socketPath),
        durable: true,
      },
      policy: { initialMs: 100, maxMs: 5000 },
      logger: log,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { onBlind, onChange } = this.#options;
    this.#client.events.on('event', (event) => this.#hear(event));
    this.#client.events.on('connected', () => {
      this.#heardAtMs = performance.now();
      this.#connectedAtMs = performance.now();
      void this.#endSessionsOfOthers();
    });
    this.#client.events.on('configured', (problems) => {
      this.#heardAtMs = performance.now();
      this.#tell(problems);
    });
    this.#client.events.on('disconnected', () => {
      this.#heardAtMs = performance.now();
      this.#feeds = [];
      this.#pushes = [];
      this.#pulls = [];
      this.#reported = null;
      this.#outputs = [];
      this.#options.health.failed('the media process is being started');
      onChange();
    });
    this.#heardAtMs = performance.now();
    const look = setInterval(() => {
      const silentMs = performance.now() - this.#heardAtMs;
      if (this.#isBlind) onBlind();
      if (silentMs > (this.#client.isSet ? hungAfterMs : startWithinMs)) this.#restartHung();
    }, metricsEveryMs);
    await this.#client.subscribeMetrics(metricsEveryMs);
    await Promise.all([this.#child.run(signal), this.#client.run(signal)]);
    clearInterval(look);
  }

  /** Whether it is unknown if frames arrive: without figures, and until the first frames may have come after a start. */
  get #isBlind(): boolean {
    const now = performance.now();
    return now - this.#figuresAtMs > blindAfterMs || now - this.#connectedAtMs < settlingMs;
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  pushes(): readonly PushStatus[] {
    return this.#pushes;
  }

  pulls(): readonly PushStatus[] {
    return this.#pulls;
  }

  outputs(): OutputFigures[] {
    return this.#outputs.map((status) => {
      const id = outputViewer(status.output, status.feed);
      const { viewers } = this.#feeds.find(({ feed }) => feed === status.feed) ?? {};
      return { ...status, viewer: viewers?.find((viewer) => viewer.id === id && viewer.connected) ?? null };
    });
  }

  /** What is pulled, sent or tapped changed: the media process gets it. */
  async reconfigure(): Promise<void> {
    if (this.#wanted !== null) await this.configure(...this.#wanted);
  }

  /** Configures the media process, which restarts only what changed. */
  async configure(
    media: Config['media'],
    ingests: readonly Ingest[],
    pushes: readonly Push[],
  ): Promise<void> {
    const { pulls, outputs, taps } = this.#options;
    this.#wanted = [media, ingests, pushes];
    const problems = await this.#client.configure({
      udpPort: media.udpPort,
      tcpPort: tcpPortOf(media),
      listenAddresses: media.addresses === 'auto' ? 'auto' : [...media.addresses],
      maxPublisherBitrateKbps: media.maxPublisherKbps,
      ingests: ingests.map((ingest) => ({ ...ingest, kind: 'h264' as const })),
      pushes: pushes.map(endpointOf),
      pulls: pulls().map(endpointOf),
      taps: taps().map((tap) => ({ ...tap })),
      outputs: outputs().map(outputOf),
    });
    if (problems !== null) this.#tell(problems);
  }

  feeds(): Feed[] {
    const { labelOf, cameras } = this.#options;
    return this.#feeds.map((stats) => feedOf(stats, labelOf(stats.feed), cameras()));
  }

  offer(kind: SessionKind, feed: string, sdp: string, caller: Caller, layer?: 'low') {
    const owner = ownerOf(caller);
    const peer = caller.subject ?? caller.address;
    if (kind === 'whep') {
      this.#refusePictures(feed);
      return this.#client.whepOffer({ feed, sdp, peer, owner });
    }
    if (this.#options.isTaken(feed)) {
      throw new ApplianceError('FEED_BUSY', `Somebody publishes pictures as "${feed}".`);
    }
    const publisherKey = owner.keyId;
    return this.#client.whipOffer({ feed, sdp, peer, owner, publisherKey, layer });
  }

  async patch(claim: SessionClaim, ifMatch: string | null, fragment: string) {
    return await this.#client.patchSession({ ...paramsOf(claim), ifMatch, fragment });
  }

  async session(claim: SessionClaim): Promise<{ etag: string }> {
    return await this.#client.sessionInfo(paramsOf(claim));
  }

  async selectLayer(claim: SessionClaim, { rid, ...wish }: LayerWish): Promise<LayerChoice> {
    const asked = { ...wish, ...(rid === undefined ? {} : { layer: rid }) };
    const { layer, paused } = await this.#client.selectLayer({ ...paramsOf(claim), wish: asked });
    return { rid: layer, paused };
  }

  async close(claim: SessionClaim): Promise<void> {
    await this.#client.closeSession(paramsOf(claim));
  }

  /** A key was revoked: everyone who publishes or views with it is cut off. Never rejects. */
  async endSessionsOf(keyId: string): Promise<void> {
    const { log } = this.#options;
    try {
      const ended = await this.#client.endSessionsOf(keyId);
      if (ended > 0) log.info({ key: keyId, sessions: ended }, 'sessions of a revoked key were ended');
    } catch (error) {
      // A media process that is not there has no sessions.
      log.warn({ err: error, key: keyId }, 'the sessions of a revoked key could not be ended');
    }
  }

  /**
   * A key may have been revoked while the media process, which outlives the supervisor, could not be reached. Never rejects.
   */
  async #endSessionsOfOthers(): Promise<void> {
    const { goodKeys, log } = this.#options;
    try {
      const ended = await this.#client.endSessionsExcept(goodKeys());
      if (ended > 0) log.info({ sessions: ended }, 'sessions of keys that are no longer known were ended');
    } catch (error) {
      // A process that went away has no sessions; the next one is asked again.
      log.warn({ err: error }, 'the sessions of keys that are no longer known could not be ended');
    }
  }

  async #lookNow(): Promise<void> {
    try {
      this.#takeFigures(await this.#client.feeds());
      this.#options.onChange();
    } catch (error) {
      // The next figures come by themselves.
      this.#options.log.debug({ err: error }, 'the media process did not report its figures');
    }
  }

  #takeFigures(feeds: readonly FeedStats[]): void {
    this.#heardAtMs = performance.now();
    this.#figuresAtMs = performance.now();
    this.#feeds = feeds;
    for (const { feed, framesTotal, reordersFrames, publisher } of feeds) {
      if (publisher?.kind === 'ingest') this.#options.onFrames(feed, framesTotal, reordersFrames);
    }
  }

  #restartHung(): void {
    const { health, log } = this.#options;
    this.#heardAtMs = performance.now();
    log.error('the media process does not answer; restarting it');
    health.failed('the media process did not answer and is being restarted');
    void this.#child.restart();
  }

  #tell(problems: readonly string[]): void {
    const { health, onChange } = this.#options;
    this.#reported = problems;
    if (problems.length === 0) health.ok();
    else health.degraded(problems.join('; '));
    onChange();
  }

  /**
   * Anyone may publish under any name: a name without a publisher is not unknown but NO_PUBLISHER, which the media process
   * reports.
   */
  #refusePictures(feed: string): void {
    if (this.#options.isTaken(feed)) {
      throw new ApplianceError('CODEC_UNSUPPORTED', `The feed "${feed}" consists of JPEG pictures.`, {
        hint: `They are available at /stream/${feed}.mjpg and /ws/feeds/${feed}.`,
      });
    }
  }

  #hear(event: MediaEvent): void {
    const { onPush, onChange, log } = this.#options;
    switch (event.event) {
      case 'metrics':
        // A small layer that does not get through is no fault: the full one is there.
        this.#pushes = event.status.pushes.filter(({ layer }) => layer === 'high');
        this.#pulls = event.status.pulls;
        this.#outputs = event.status.outputs;
        this.#takeFigures(event.feeds);
        this.#options.onFigures();
        // What could not be set up may have come right by itself, such as a port that became free.
        if (this.#reported !== null && !isDeepStrictEqual(event.status.problems, this.#reported))
          this.#tell(event.status.problems);
        for (const { feed, viewers } of event.feeds) {
          const push = viewers.find(({ id, connected }) => id === `push:${feed}` && connected);
          if (push !== undefined) {
            const { bitrateKbps, repairKbps, lossRatio } = push;
            onPush(feed, { atMs: performance.now(), sentKbps: bitrateKbps - repairKbps, lossRatio });
          }
        }
        break;
      case 'feed':
        log.info({ feed: event.feed, state: event.state }, 'feed');
        // A source runs from its first frame on: a take may follow at once.
        if (event.state === 'online') void this.#lookNow();
        onChange();
        break;
      case 'push':
        if (event.push.layer !== 'high') break;
        this.#pushes = [...this.#pushes.filter(({ feed }) => feed !== event.push.feed), event.push];
        onChange();
        break;
      case 'pull':
        this.#pulls = [...this.#pulls.filter(({ feed }) => feed !== event.pull.feed), event.pull];
        onChange();
        break;
      case 'output':
        this.#outputs = [...this.#outputs.filter((one) => !isSame(one, event.output)), event.output];
        onChange();
        break;
      case 'session-opened':
      case 'session-closed':
        log.debug({ event: event.event, session: event.session }, 'session');
        onChange();
        break;
    }
  }
}

function ownerOf({ keyId, role }: Caller) {
  return { keyId, role };
}

function paramsOf({ kind, feed, sessionId, caller }: SessionClaim) {
  return { kind, feed, sessionId, owner: ownerOf(caller) };
}

function isSame(a: OutputStatus, b: OutputStatus): boolean {
  return a.output === b.output && a.feed === b.feed;
}

function tcpPortOf({ tcpPort }: Config['media']): number | null {
  if (tcpPort === 'off') return null;
  // 0 is the number of the UDP port.
  return tcpPort === 'auto' ? 0 : tcpPort;
}
