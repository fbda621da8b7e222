import type { Logger } from 'pino';
import { pause } from '../../common/pause.ts';
import type { TokenBucket } from '../../common/token-bucket.ts';
import { Announcer } from './announcer.ts';
import type { BrokerConnection, IncomingMessage } from './broker-connection.ts';
import { CommandRunner, droppedResult } from './command-runner.ts';
import { BrokerRefusedError } from './errors.ts';
import { EventTeller } from './event-teller.ts';
import type { Components } from './home-assistant/component.ts';
import { cameraUpdateTopics, readPublished } from './home-assistant/discovery.ts';
import type { ApplianceCommands, DocumentMemory, MqttSettings, StatusSource } from './ports.ts';
import { Snapshots } from './snapshots.ts';
import type { TelemetryTiming } from './timing.ts';
import { commandOf, hubOfUpdate, type Topics, topicId } from './topics.ts';
import { Wakeup } from './wakeup.ts';

/** What a session needs. */
export interface SessionOptions {
  readonly connection: BrokerConnection;
  readonly topics: Topics;
  readonly settings: MqttSettings;
  readonly documents?: DocumentMemory;
  readonly status: StatusSource;
  readonly commands: ApplianceCommands;
  readonly limit: TokenBucket;
  readonly timing: TelemetryTiming;
  readonly random: () => number;
  readonly logger: Logger;
  /** Entities that an earlier session published; null: unknown, the broker is asked. */
  readonly published: Components | null;
}

/** Answers that may be in progress at once; commands beyond get one answer for each command's name, with their number. */
const mostAnswers = 64;

/** What happens on one connection: reads back, announces, obeys. */
export class Session {
  readonly #options: SessionOptions;
  readonly #wakeup = new Wakeup();
  readonly #snapshots: Snapshots;
  readonly #runner: CommandRunner;
  #announcer: Announcer | null = null;
  #onReadBack: ((payload: Buffer) => void) | null = null;
  #online: ReadonlySet<string> = new Set();
  #answers = 0;
  readonly #unanswered = new Map<string, number>();
  /** Hubs that show this camera's update on this broker. */
  readonly #updaters = new Set<string>();
  readonly #events: EventTeller;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { commands, connection, topics, status, limit, logger } = options;
    this.#snapshots = new Snapshots({
      take: (feed) => commands.snapshot(feed),
      publish: (feed, jpeg) => connection.publish(topics.snapshot(feed), jpeg, { retain: false, qos: 0 }),
      logger,
    });
    this.#events = new EventTeller({ connection, topics, status, logger });
    this.#runner = new CommandRunner({
      commands,
      status: () => status.current(),
      publishSnapshot: (feed) => this.#snapshots.request(feed),
      limit,
      logger,
    });
  }

  /** The entities that the broker knows now; null before the first document. */
  get published(): Components | null {
    return this.#announcer?.published ?? this.#options.published;
  }

  /** Until the signal aborts. Rejects when the connection is lost or the broker rejects a subscription. */
  async run(signal: AbortSignal): Promise<void> {
    const { connection, topics, settings, status, timing } = this.#options;
    connection.onMessage((message) => this.#receive(message, signal));
    const published = this.#options.published ?? (await this.#readBack(signal));
    if (!settings.discovery) await this.#withdraw(published);
    await this.#withdrawGhosts();
    await this.#watchUpdaters();
    await connection.subscribe(topics.birth, false);
    await connection.subscribe(topics.commands, false);
    this.#announcer = new Announcer({
      connection,
      topics,
      status,
      wakeup: this.#wakeup,
      timing,
      heartbeatMs: settings.heartbeatS * 1000,
      discovery: settings.discovery,
      published,
      nowMs: () => performance.now(),
      isUpdatedByHub: () => this.#isUpdatedByHub(),
    });
    this.#events.begin();
    const unsubscribe = status.subscribe(() => {
      this.#refreshWhatCameOnline(signal);
      this.#events.look();
    });
    const interval = this.#startInterval();
    this.#refreshWhatCameOnline(signal);
    try {
      await this.#announcer.run(signal);
    } finally {
      unsubscribe();
      clearInterval(interval);
    }
  }

  /** What an earlier run, possibly of another version, has announced to Home Assistant. */
  async #readBack(signal: AbortSignal): Promise<Components> {
    const { connection, topics, timing, logger } = this.#options;
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#onReadBack = resolve;
    await connection.subscribe(topics.discovery, true);
    const payload = await Promise.race([promise, pause(timing.readBackMs, signal)]);
    await connection.unsubscribe(topics.discovery);
    this.#onReadBack = null;
    if (payload === undefined || payload.length === 0) return {};
    const components = readPublished(payload.toString('utf8'));
    if (components === null) logger.warn({ topic: topics.discovery }, 'the published document is not ours');
    return components ?? {};
  }

  /** If a broker hides this from a camera, the camera gets a second entity, and nothing worse happens. */
  async #watchUpdaters(): Promise<void> {
    const { connection, topics, logger } = this.#options;
    try {
      await connection.subscribe(topics.ownUpdateElsewhere, true);
    } catch (error) {
      if (!(error instanceof BrokerRefusedError)) throw error;
      logger.debug({ err: error }, 'whether a hub shows the update of this camera is not known');
    }
  }

  /** A hub that this camera no longer belongs to may have left its message. */
  #isUpdatedByHub(): boolean {
    const { hub } = this.#options.status.current();
    if (hub === null) return false;
    return hub.id === null ? this.#updaters.size > 0 : this.#updaters.has(topicId(hub.id));
  }

  #noteUpdater(hub: string, isShown: boolean): void {
    if (hub === this.#options.topics.device || this.#updaters.has(hub) === isShown) return;
    if (isShown) this.#updaters.add(hub);
    else this.#updaters.delete(hub);
    this.#wakeup.notify();
  }

  /** Home Assistant must no longer show it: an empty document removes everything. */
  async #withdraw(published: Components): Promise<void> {
    if (Object.keys(published).length === 0) return;
    const { connection, topics } = this.#options;
    for (const topic of [topics.discovery, ...cameraUpdateTopics(published, topics)]) {
      await connection.publish(topic, '', { retain: true, qos: 1 });
    }
  }

  /** Documents under topics that the settings no longer name, for example after a changed prefix. */
  async #withdrawGhosts(): Promise<void> {
    const { connection, documents, settings, topics } = this.#options;
    if (documents === undefined) return;
    const kept = documents.read();
    const now = settings.discovery ? [topics.discovery] : [];
    for (const topic of kept.filter((one) => !now.includes(one))) {
      await connection.publish(topic, '', { retain: true, qos: 1 });
    }
    if (kept.join('\n') !== now.join('\n')) await documents.keep(now);
  }

  #receive(message: IncomingMessage, signal: AbortSignal): void {
    const { topics, timing, random, logger } = this.#options;
    const { topic, payload, retained } = message;
    if (topic === topics.discovery) {
      this.#onReadBack?.(payload);
    } else if (topic === topics.birth) {
      if (retained || payload.toString('utf8') !== 'online') return;
      logger.debug('Home Assistant has started');
      void pause(random() * timing.birthJitterMs, signal).then(() => this.#reannounce(signal));
    } else {
      const hub = hubOfUpdate(topic, topics.ownUpdateElsewhere);
      const command = commandOf(topic, topics.device);
      if (hub !== null) this.#noteUpdater(hub, payload.length > 0);
      else if (command !== null) void this.#obey(command, message);
    }
  }

  #reannounce(signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#announcer?.reannounce();
    this.#online = new Set();
    this.#refreshWhatCameOnline(signal);
  }

  async #obey(command: string, { payload, retained, correlationData }: IncomingMessage): Promise<void> {
    const { connection, topics, logger } = this.#options;
    if (this.#answers >= mostAnswers) {
      this.#unanswered.set(command, (this.#unanswered.get(command) ?? 0) + 1);
      return;
    }
    this.#answers += 1;
    try {
      const result = await this.#runner.run(command, payload, retained);
      const options = {
        retain: false,
        qos: 1,
        ...(correlationData === undefined ? {} : { correlationData }),
      } as const;
      await connection.publish(topics.result(command), JSON.stringify(result), options);
      this.#events.refused(command, result);
    } catch (error) {
      logger.debug({ command, err: error }, 'the result could not be published');
    } finally {
      this.#answers -= 1;
      await this.#tellUnanswered();
    }
  }

  /** Never rejects. */
  async #tellUnanswered(): Promise<void> {
    if (this.#answers > 0) return;
    const { connection, topics, logger } = this.#options;
    const dropped = [...this.#unanswered];
    this.#unanswered.clear();
    for (const [command, count] of dropped) {
      logger.warn({ command, count }, 'commands dropped: too many at once');
      const answer = droppedResult(count);
      this.#events.refused(command, answer);
      try {
        await connection.publish(topics.result(command), JSON.stringify(answer), { retain: false, qos: 1 });
      } catch (error) {
        logger.debug({ command, err: error }, 'the result could not be published');
      }
    }
  }

  #refreshWhatCameOnline(signal: AbortSignal): void {
    const { status, timing } = this.#options;
    const { feeds } = status.current();
    const online = new Set<string>(feeds.filter((feed) => feed.state === 'online').map((feed) => feed.id));
    const fresh = [...online].filter((feed) => !this.#online.has(feed));
    this.#online = online;
    if (fresh.length === 0) return;
    void pause(timing.snapshotDelayMs, signal).then(() => {
      if (!signal.aborted) for (const feed of fresh) this.#snapshots.refresh(feed);
    });
  }

  #startInterval(): NodeJS.Timeout | undefined {
    const { snapshotIntervalS } = this.#options.settings;
    if (snapshotIntervalS === 0) return undefined;
    return setInterval(() => {
      for (const feed of this.#online) this.#snapshots.refresh(feed);
    }, snapshotIntervalS * 1000);
  }
}
