import type { Logger } from 'pino';
import type { Update, UpdateInstall } from '../api/contract.ts';
import type { ApiPorts } from '../api/ports.ts';
import type { LiveConfig } from '../config/live-config.ts';
import type { Config } from '../config/schema.ts';
import type { Health } from '../health.ts';
import type { ServiceRun } from '../process/service-slot.ts';
import type { ApplianceCommands } from '../telemetry/ports.ts';
import type { StatusBoard } from './status-board.ts';
import type { TakeConductor } from './take-conductor.ts';

export interface TelemetryParts {
  readonly board: StatusBoard;
  readonly conductor: TakeConductor;
  readonly system: ApiPorts['system'];
  readonly pictures: { snapshot(feed: string): Promise<Buffer> };
  readonly config: LiveConfig;
  readonly update: {
    install(request: UpdateInstall): Promise<Update>;
    rollback(): Promise<Update>;
  };
  readonly rollout: ApiPorts['rollout'];
  readonly health: Health;
  readonly log: Logger;
}

const lookAtLinkMs = 2000;

/** The appliance on MQTT, where the settings name a broker. */
export function telemetryService(parts: TelemetryParts): (config: Config) => ServiceRun | null {
  return ({ mqtt }) => {
    if (mqtt.url === undefined) return null;
    return async (signal) => {
      const { board, health, log } = parts;
      using reporter = health.register('mqtt', { core: false });
      // Loaded where a broker is named: memory is short on small boards.
      const [{ Telemetry }, { findBrokerByMdns }] = await Promise.all([
        import('../telemetry/telemetry.ts'),
        import('../telemetry/broker-mdns.ts'),
      ]);
      const telemetry = new Telemetry({
        settings: mqtt,
        status: {
          current: () => board.current(),
          subscribe: (listener) => board.subscribe((event) => event.type === 'status' && listener()),
        },
        commands: commandsOf(parts),
        findBroker: findBrokerByMdns,
        logger: log,
      });
      const look = setInterval(() => {
        const { state, reason } = telemetry.link;
        if (state === 'connected') reporter.ok();
        else reporter.degraded(reason ?? `the broker: ${state}`);
      }, lookAtLinkMs);
      await telemetry.run(signal);
      clearInterval(look);
    };
  };
}

function commandsOf({
  conductor,
  system,
  pictures,
  config,
  update,
  rollout,
}: TelemetryParts): ApplianceCommands {
  return {
    setRole: async (role) => void (await config.patch({ role })),
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
