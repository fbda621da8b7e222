import { join } from 'node:path';
import { pino } from 'pino';
import { FakeMachine } from '../../ota/updater/machine.fake.ts';
import { adoptionSection } from '../../supervisor/camera/camera-key.ts';
import { CameraRole } from '../../supervisor/camera/camera-role.ts';
import { handleHubCommand } from '../../supervisor/camera/hub-commands.ts';
import { StateStore } from '../../supervisor/config/state.ts';
import { TakeConductor } from '../../supervisor/takes/take-conductor.ts';
import { reportedUpdate } from '../../supervisor/updates/fleet-members.ts';
import { HubUpdates } from '../../supervisor/updates/hub-updates.ts';
import type { FleetHub } from './fleet-hub.fake.ts';
import { updatePort } from './update-port.fake.ts';

const log = pino({ level: process.env.RUSHLIGHT_TEST_LOG ?? 'silent' });

/**
 * An adopted camera as far as updates go: link, orders, relay and updater are the product's; the machine they run on is
 * simulated, and its RAUC really reads the bundle from the hub. It restarts when its updater asks it to.
 */
export class FleetCamera implements AsyncDisposable {
  readonly id: string;
  readonly machine: FakeMachine;
  /** Whether it records, by its own button. */
  recording = false;
  conducted = true;
  readonly #state: StateStore;
  readonly #hub: FleetHub;
  #running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  private constructor(id: string, machine: FakeMachine, state: StateStore, hub: FleetHub) {
    this.id = id;
    this.machine = machine;
    this.#state = state;
    this.#hub = hub;
  }

  static async create(id: string, hub: FleetHub): Promise<FleetCamera> {
    const machine = await FakeMachine.create({ streams: true });
    machine.id = id;
    // A hub that restarts on a busy machine is slow, not gone.
    machine.timing = { stallMs: 60_000, preflightMs: 30_000 };
    const state = new StateStore({ file: join(machine.root, 'state.json'), logger: log });
    await state.load();
    const { token } = await hub.keys.create('camera', id);
    const { fingerprint } = hub.tls;
    await state.update(adoptionSection, () => ({ hubId: 'hub-1', hubName: 'hub', fingerprint, token }));
    return new FleetCamera(id, machine, state, hub);
  }

  /** Power on, until this boot is confirmed: then there is a way back to it. */
  async boot(): Promise<this> {
    await this.machine.boot('A');
    await this.machine.until(() => this.machine.updater?.status().slots[0]?.state === 'good');
    this.start();
    return this;
  }

  start(): void {
    const stop = new AbortController();
    const update = updatePort(() => this.machine.updater);
    const updates = new HubUpdates({
      update,
      log,
      hub: () => side.access(),
      conducted: () => this.conducted,
    });
    const conductor = new TakeConductor({
      local: {
        recordable: () => [],
        start: async () => [],
        stop: async () => {},
        remove: async () => {},
        list: async () => [],
        subscribe: () => () => {},
      },
      cameras: null,
      state: this.#state,
      onTake: () => {},
      onGone: () => {},
      onRefusal: () => {},
      log,
    });
    const side: CameraRole = new CameraRole({
      settings: { hub: this.#hub.url },
      configFile: join(this.machine.root, 'rushlight.toml'),
      self: { id: this.id, name: this.id, version: this.machine.slots[this.machine.booted].version },
      state: this.#state,
      status: () => ({
        sources: [],
        recording: this.recording ? 'recording' : 'idle',
        remainingS: null,
        update: reportedUpdate(update.status()),
      }),
      onCommand: (command) => handleHubCommand(command, { conductor, updates, side, log }),
      onLinked: () => {},
      onChange: () => {},
      obeysAll: true,
      network: { subscribe: () => () => {} },
      log,
    });
    this.machine.updater?.onChange(() => side.statusChanged());
    this.#running = { stop, ended: side.run(stop.signal) };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.stop.abort();
    await running?.ended;
  }

  async followRestarts(): Promise<void> {
    const kind = this.machine.restarts.shift();
    if (kind === undefined) return;
    await this.stop();
    await this.machine.powerOn(kind === 'trial');
    this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.machine[Symbol.asyncDispose]();
  }
}
