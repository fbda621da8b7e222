import type { Logger } from 'pino';
import { TokenBucket } from '../../common/token-bucket.ts';
import type { Status } from '../contract/index.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { CommandResult } from './command-runner.ts';
import { type ApplianceEvent, commandRefused, eventsBetween } from './events.ts';
import type { StatusSource } from './ports.ts';
import type { Topics } from './topics.ts';

/** What events need. */
export interface EventTellerOptions {
  readonly connection: BrokerConnection;
  readonly topics: Topics;
  readonly status: StatusSource;
  readonly logger: Logger;
}

/** Publishes what happens while the connection lasts; the state contains what happened before. */
export class EventTeller {
  readonly #options: EventTellerOptions;
  /** A flood of commands must not become a flood of rows in Home Assistant's database. */
  readonly #refusals = new TokenBucket({ burst: 10, perSecond: 0.2 });
  #seen: Status | null = null;

  constructor(options: EventTellerOptions) {
    this.#options = options;
  }

  /** The current state is not an event. */
  begin(): void {
    this.#seen = this.#options.status.current();
  }

  look(): void {
    const { status } = this.#options;
    const now = status.current();
    const events = this.#seen === null ? [] : eventsBetween(this.#seen, now, status.pageUrl());
    this.#seen = now;
    for (const event of events) this.#tell(event);
  }

  /** For a command by MQTT. The status says why a start was refused, no matter where it was requested. */
  refused(command: string, { ok, code, message }: CommandResult): void {
    if (ok || this.#options.status.current().recording.refusal?.message === message) return;
    if (this.#refusals.take()) this.#tell(commandRefused(command, code, message));
  }

  #tell({ kind, payload }: ApplianceEvent): void {
    const { connection, topics, logger } = this.#options;
    const published = connection.publish(topics.event(kind), JSON.stringify(payload), {
      retain: false,
      qos: 1,
    });
    published.catch((error: unknown) =>
      logger.debug({ kind, err: error }, 'an event could not be published'),
    );
  }
}
