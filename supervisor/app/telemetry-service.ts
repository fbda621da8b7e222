import type { Logger } from 'pino';
import { z } from 'zod';
import type { LiveConfig } from '../config/live-config.ts';
import type { Config } from '../config/schema.ts';
import { listOf, type StateSection, type StateStore } from '../config/state.ts';
import type { Adjust, MqttLink, Update, UpdateInstall } from '../contract/index.ts';
import type { ApiPorts } from '../contract/ports.ts';
import type { ServiceRun } from '../process/service-slot.ts';
import type { StatusBoard } from '../status/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import type { Health } from '../system/health.ts';
import type { TakeConductor } from '../takes/index.ts';
import type { ApplianceCommands, Telemetry } from '../telemetry/index.ts';

/** The parts that telemetry reads and commands. */
export interface TelemetryParts {
  readonly board: StatusBoard;
  readonly conductor: TakeConductor;
  readonly system: ApiPorts['system'];
  readonly pictures: { snapshot(feed: string): Promise<Buffer> };
  readonly config: LiveConfig;
  readonly adjust: (change: Adjust) => Promise<void>;
  readonly update: {
    install(request: UpdateInstall): Promise<Update>;
    rollback(): Promise<Update>;
  };
  readonly rollout: ApiPorts['rollout'];
  readonly state: StateStore;
  /** Where a browser on the network finds the page; null if it does not. */
  readonly pageUrl: () => string | null;
  readonly health: Health;
  readonly log: Logger;
}

/** What must be remembered about brokers. */
export const mqttSection = {
  name: 'mqtt',
  schema: z.object({
    /** Brokers found on the network that the owner has accepted, by their ids. */
    accepted: listOf(z.string()),
    /** Discovery topics under which a document was left on a broker. */
    documents: listOf(z.string()),
  }),
} as const satisfies StateSection<z.ZodObject>;

/** More than any household has; the oldest are forgotten. */
const mostAccepted = 16;

/** The appliance on MQTT, if the settings name a broker. */
export class TelemetryService {
  readonly #parts: TelemetryParts;
  #telemetry: Telemetry | null = null;

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
  }

  /** The state of the link to the broker; null if the settings name none. */
  get link(): MqttLink | null {
    return this.#telemetry?.link ?? null;
  }

  /** What should run with these settings; null: nothing. */
  serviceFor({ mqtt }: Config): ServiceRun | null {
    return mqtt.url === undefined ? null : (signal) => this.#run(mqtt, signal);
  }

  /** The owner accepts the broker that was found and shown. Rejects with BROKER_UNKNOWN if it is another one by now. */
  async accept(id: string): Promise<MqttLink> {
    const { state, log } = this.#parts;
    const telemetry = this.#telemetry;
    if (telemetry === null || telemetry.link.found?.id !== id) {
      throw new ApplianceError('BROKER_UNKNOWN', `The broker "${id}" does not wait for being accepted.`, {
        hint: 'Look at the status: it names the broker that does.',
      });
    }
    await state.update(mqttSection, ({ accepted }) => ({
      accepted: [...accepted.filter((known) => known !== id), id].slice(-mostAccepted),
    }));
    log.info({ broker: id }, 'the owner accepted a broker');
    telemetry.lookAgain();
    return telemetry.link;
  }

  /** Every broker that was accepted has to be accepted again. */
  async forget(): Promise<void> {
    await this.#parts.state.update(mqttSection, () => ({ accepted: [] }));
    this.#telemetry?.lookAgain();
  }

  async #run(mqtt: Config['mqtt'], signal: AbortSignal): Promise<void> {
    const { board, health, state, config, pageUrl, log } = this.#parts;
    using reporter = health.register('mqtt', { core: false });
    // Loaded only if a broker is named: memory is short on small boards.
    const { findBrokersByMdns, Telemetry } = await import('../telemetry/mqtt.ts');
    const telemetry = new Telemetry({
      settings: mqtt,
      settingsNow: () => config.current.config.mqtt,
      documents: {
        read: () => state.get(mqttSection).documents,
        keep: (documents) => this.#keepDocuments(documents),
      },
      status: {
        current: () => board.current(),
        subscribe: (listener) => board.subscribe((event) => event.type === 'status' && listener()),
        pageUrl,
      },
      commands: commandsOf(this.#parts),
      findBrokers: findBrokersByMdns,
      trust: { isAccepted: (id) => state.get(mqttSection).accepted.includes(id) },
      onLink: ({ state: now, reason }) => {
        if (now === 'connected') reporter.ok();
        else reporter.degraded(reason ?? `the broker: ${now}`);
        board.poke();
      },
      logger: log,
    });
    this.#telemetry = telemetry;
    await telemetry.run(signal);
    this.#telemetry = null;
  }

  async #keepDocuments(documents: readonly string[]): Promise<void> {
    const { state, log } = this.#parts;
    try {
      await state.update(mqttSection, () => ({ documents: [...documents] }));
    } catch (error) {
      log.warn({ err: error }, 'the brokers with a Home Assistant document could not be saved');
    }
  }
}

function commandsOf({
  conductor,
  system,
  pictures,
  config,
  adjust,
  update,
  rollout,
}: TelemetryParts): ApplianceCommands {
  return {
    setRole: async (role) => void (await config.patch({ role })),
    adjust,
    startTake: async (cameras) => void (await conductor.start(cameras)),
    stopTake: async () => void (await conductor.stopCurrent()),
    identify: () => system.identify(),
    restart: (action) => system.restart(action),
    shutdown: (action) => system.shutdown(action),
    installUpdate: async (request) => void (await update.install(request)),
    rollbackUpdate: async () => void (await update.rollback()),
    updateCamera: async (id) => void (await rollout.install(id)),
    startRollout: async (request) => void (await rollout.start(request)),
    changeRollout: async (action) => void (await rollout[action]()),
    setTally: async (state) => void (await system.setTally({ state })),
    snapshot: (feed) => pictures.snapshot(feed),
  };
}
