import { pino } from 'pino';
import { camelCaseKeys } from '../../common/camel-case.ts';
import { TokenBucket } from '../../common/token-bucket.ts';
import { configSchema } from '../config/schema.ts';
import type { Status } from '../contract/index.ts';
import { FakeCommands, FakeStatus } from './appliance.fake.ts';
import type { BrokerFinder, MqttSettings } from './ports.ts';
import { hubStatus } from './status.fixture.ts';
import { Telemetry, type TelemetryOptions } from './telemetry.ts';
import type { TelemetryTiming } from './timing.ts';

/** Short intervals: tests wait for conditions, not for these. */
const quick: Partial<TelemetryTiming> = {
  coalesceMs: 10,
  eventIntervalMs: 20,
  driftIntervalMs: 50,
  discoveryIntervalMs: 20,
  departureMs: 0,
  birthJitterMs: 20,
  readBackMs: 300,
  snapshotDelayMs: 20,
  keepaliveS: 60,
  backoffMinMs: 50,
  backoffMaxMs: 200,
};

/** What a test sets. */
export interface RunningOptions {
  readonly settings: Record<string, unknown>;
  readonly status?: Status;
  readonly timing?: Partial<TelemetryTiming>;
  readonly findBrokers?: BrokerFinder;
  readonly more?: Partial<TelemetryOptions>;
}

/** Running telemetry with fakes around it; disposing stops it. For tests. */
export class RunningTelemetry implements AsyncDisposable {
  readonly status: FakeStatus;
  readonly commands = new FakeCommands();
  readonly telemetry: Telemetry;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor({ settings, status = hubStatus(), timing, findBrokers, more }: RunningOptions) {
    this.status = new FakeStatus(status);
    this.telemetry = new Telemetry({
      settings: mqttSettings(settings),
      status: this.status,
      commands: this.commands,
      findBrokers: findBrokers ?? (async () => []),
      trust: { isAccepted: () => true },
      logger: pino({ level: 'silent' }),
      timing: { ...quick, ...timing },
      commandLimit: new TokenBucket({ burst: 1e6, perSecond: 1e6 }),
      ...more,
    });
    this.#ended = this.telemetry.run(this.#stop.signal);
  }

  /** Stops it; resolves when it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

/** Section `[mqtt]` with the defaults of the schema; keys as in rushlight.toml. */
export function mqttSettings(section: Record<string, unknown>): MqttSettings {
  return camelCaseKeys(configSchema, configSchema.parse({ mqtt: section })).mqtt;
}
