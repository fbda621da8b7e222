import type { Logger } from 'pino';
import { Backoff } from '../../common/backoff.ts';
import { pause } from '../../common/pause.ts';
import { TokenBucket } from '../../common/token-bucket.ts';
import { BrokerConnection, type MqttVersion } from './broker-connection.ts';
import { readCredentials } from './broker-credentials.ts';
import { type BrokerTrust, brokerId } from './broker-trust.ts';
import {
  BrokerHungUpError,
  BrokerLostError,
  BrokerNotAcceptedError,
  BrokerNotFoundError,
  BrokerVersionError,
} from './errors.ts';
import type { Components } from './home-assistant/component.ts';
import { cameraUpdateTopics } from './home-assistant/discovery.ts';
import type {
  ApplianceCommands,
  BrokerFinder,
  DocumentMemory,
  MqttSettings,
  StatusSource,
  TelemetryLink,
} from './ports.ts';
import { Session } from './session.ts';
import { defaultTiming, type TelemetryTiming } from './timing.ts';
import { connectionWords } from './tls-words.ts';
import { type Topics, topicsOf } from './topics.ts';

/** What telemetry needs of the appliance. */
export interface TelemetryOptions {
  readonly settings: MqttSettings;
  /** The settings in force when it is stopped; they distinguish a stop from a farewell. */
  readonly settingsNow?: () => MqttSettings;
  /** What was announced where, for settings that changed while nothing ran. */
  readonly documents?: DocumentMemory;
  readonly status: StatusSource;
  readonly commands: ApplianceCommands;
  /** Used if `url = "auto"`. */
  readonly findBrokers: BrokerFinder;
  readonly trust: BrokerTrust;
  /** Called with each change of the link. */
  readonly onLink?: (link: TelemetryLink) => void;
  readonly logger: Logger;
  readonly timing?: Partial<TelemetryTiming>;
  /** 0 to below 1; for jitter. */
  readonly random?: () => number;
  /** Limits how many valid commands are carried out; default 20 at once, 2 a second on average. */
  readonly commandLimit?: TokenBucket;
}

/** A broker that restarts also hangs up; one that does so twice in a row may not know MQTT 5. */
const mostHungUp = 2;
const off: TelemetryLink = { state: 'off', broker: null, protocol: null, reason: null, found: null };

/**
 * Shows the appliance on an MQTT broker and obeys commands from there. Whatever the broker does, nothing else is affected:
 * `run` only ends when its signal aborts. For new settings, abort and run a new one.
 */
export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #timing: TelemetryTiming;
  readonly #random: () => number;
  readonly #limit: TokenBucket;
  #link: TelemetryLink = off;
  #published: Components | null = null;
  #failure: string | null = null;
  #failures = 0;
  #hungUp = 0;
  #found: TelemetryLink['found'] = null;
  #wake = Promise.withResolvers<void>();
  /** The connection, and the identity under which its broker was accepted. */
  #session: { readonly id: string; readonly connection: BrokerConnection } | null = null;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#random = options.random ?? Math.random;
    this.#limit = options.commandLimit ?? new TokenBucket({ burst: 20, perSecond: 2 });
  }

  get link(): TelemetryLink {
    return this.#link;
  }

  #become(link: TelemetryLink): void {
    this.#link = link;
    this.#options.onLink?.(link);
  }

  /** A broker was accepted, or no longer is: the link to one that is not is closed, and the next try begins now. */
  lookAgain(): void {
    this.#wake.resolve();
    const { settings, trust } = this.#options;
    if (settings.url !== 'auto' || this.#session === null || trust.isAccepted(this.#session.id)) return;
    void this.#session.connection.close();
  }

  /** Resolves when the signal aborts, or at once if the settings name no broker. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { url, discoveryPrefix, birthTopic } = this.#options.settings;
    if (url === undefined) return;
    const topics = topicsOf(this.#options.status.current().device.id, discoveryPrefix, birthTopic);
    const { backoffMinMs, backoffMaxMs, stableMs } = this.#timing;
    const backoff = new Backoff({ firstMs: backoffMinMs, maxMs: backoffMaxMs }, this.#random);
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await this.#connectOnce(url, topics, signal);
      } catch (error) {
        this.#tell(error, signal);
      }
      if (performance.now() - startedMs > stableMs) backoff.reset();
      const over = new AbortController();
      await Promise.race([
        pause(backoff.nextMs(), AbortSignal.any([signal, over.signal])),
        this.#wake.promise,
      ]);
      over.abort();
      this.#wake = Promise.withResolvers<void>();
    }
    this.#become(off);
  }

  async #connectOnce(url: string, topics: Topics, signal: AbortSignal): Promise<void> {
    const { id, url: broker } = url === 'auto' ? await this.#search(signal) : { id: url, url };
    this.#become({ state: 'connecting', broker, protocol: null, reason: this.#failure, found: null });
    const connection = await this.#open(broker, topics, signal);
    const { version } = connection;
    this.#become({ state: 'connected', broker, protocol: version, reason: null, found: null });
    this.#options.logger.info({ broker, version, failures: this.#failures }, 'connected to the broker');
    this.#failure = null;
    this.#failures = 0;
    const session = new Session({
      ...this.#options,
      connection,
      topics,
      limit: this.#limit,
      timing: this.#timing,
      random: this.#random,
      published: this.#published,
    });
    this.#session = { id, connection };
    try {
      await this.#runSession(session, connection, topics, signal);
    } finally {
      this.#session = null;
    }
  }

  /** The session ends with the connection or with the caller's signal, whichever comes first. */
  async #runSession(session: Session, connection: BrokerConnection, topics: Topics, signal: AbortSignal) {
    const over = new AbortController();
    const running = session.run(AbortSignal.any([signal, over.signal]));
    let failure: unknown = null;
    try {
      await Promise.race([running, connection.closed.then((reason) => Promise.reject(reason))]);
    } catch (error) {
      failure = error;
    }
    over.abort();
    const offline = { topic: topics.availability, payload: 'offline' };
    if (signal.aborted && this.#leavesForGood()) {
      const left = [topics.discovery, ...cameraUpdateTopics(session.published ?? {}, topics)];
      await connection.close(offline, ...left.map((topic) => ({ topic, payload: '' })));
    } else {
      await connection.close(offline);
    }
    await running.catch(() => undefined); // reported by the race, or a consequence of the close
    this.#published = session.published;
    // work in progress when the link broke only knows that it broke; the connection knows why
    if (failure instanceof BrokerLostError) throw await connection.closed;
    if (failure !== null) throw failure;
  }

  /** Whether new settings leave this broker or this topic: otherwise the document would stay there forever. */
  #leavesForGood(): boolean {
    const { settings, settingsNow } = this.#options;
    const now = settingsNow?.() ?? settings;
    return now.url !== settings.url || now.discoveryPrefix !== settings.discoveryPrefix || !now.discovery;
  }

  /** A broker that was found gets no secret, and none of its commands is obeyed, before the owner has accepted it. */
  async #search(signal: AbortSignal): Promise<{ readonly id: string; readonly url: string }> {
    const { findBrokers, trust } = this.#options;
    const found = this.#found;
    this.#become({ state: 'searching', broker: null, protocol: null, reason: this.#failure, found });
    const brokers = (await findBrokers(signal)).map((broker) => ({ ...broker, id: brokerId(broker) }));
    const accepted = brokers.find(({ id }) => trust.isAccepted(id));
    this.#found = accepted === undefined ? (brokers[0] ?? null) : null;
    if (accepted !== undefined) return accepted;
    if (this.#found === null) throw new BrokerNotFoundError('no broker found on the network');
    const { name, url } = this.#found;
    throw new BrokerNotAcceptedError(`found the broker "${name}" at ${url}; accept it on the page first`);
  }

  /** MQTT 5 first; 3.1.1 at once if the broker insists, or hung up on MQTT 5 repeatedly without a reason. */
  async #open(url: string, topics: Topics, signal: AbortSignal): Promise<BrokerConnection> {
    const { protocol } = this.#options.settings;
    if (protocol !== 'auto') return await this.#openAs(protocol, url, topics, signal);
    try {
      const connection = await this.#openAs('5', url, topics, signal);
      this.#hungUp = 0;
      return connection;
    } catch (error) {
      if (error instanceof BrokerHungUpError) this.#hungUp += 1;
      const insists = error instanceof BrokerVersionError || this.#hungUp >= mostHungUp;
      if (!insists) throw error;
      this.#hungUp = 0;
      this.#options.logger.debug({ err: error }, 'falling back to MQTT 3.1.1');
      return await this.#openAs('3.1.1', url, topics, signal);
    }
  }

  async #openAs(version: MqttVersion, url: string, topics: Topics, signal: AbortSignal) {
    const { settings, status, logger } = this.#options;
    return await BrokerConnection.open(
      {
        url,
        version,
        clientId: `rushlight_${topics.device}`,
        credentials: await readCredentials(settings, status.current().config.file),
        will: { topic: topics.availability, payload: 'offline' },
        keepaliveS: this.#timing.keepaliveS,
        connectTimeoutMs: this.#timing.connectTimeoutMs,
        logger,
      },
      signal,
    );
  }

  /** A failure that repeats is logged once, and counted. */
  #tell(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    const reason = connectionWords(error);
    this.#failures += 1;
    if (reason !== this.#failure) this.#options.logger.warn({ err: error }, 'no broker; trying again');
    this.#failure = reason;
    this.#become({ state: 'waiting', broker: this.#link.broker, protocol: null, reason, found: this.#found });
  }
}
