import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { pino } from 'pino';
import { FakeMachine } from '../../ota/updater/machine.fake.ts';
import { apiPortsFake } from '../../supervisor/api/api-ports.fake.ts';
import { ApiServer } from '../../supervisor/api/server.ts';
import { StateStore } from '../../supervisor/config/state.ts';
import type { Rollout } from '../../supervisor/contract/index.ts';
import { HubRole } from '../../supervisor/hub/hub-role.ts';
import { KeyStore } from '../../supervisor/system/key-store.ts';
import { createTlsIdentity, type TlsIdentity } from '../../supervisor/system/tls-identity.ts';
import { Rollouts } from '../../supervisor/updates/rollouts.ts';
import { freePort } from './appliance-process.ts';
import type { ReleaseServer } from './release-server.fake.ts';
import { updatePort } from './update-port.fake.ts';

const log = pino({ level: process.env.RUSHLIGHT_TEST_LOG ?? 'silent' });
const hubId = 'hub-1';

/**
 * A hub as far as updates go: links, adoption, API with keys and TLS, rollouts and updater are the product's; the machine they
 * run on is simulated. It restarts when its updater asks it to.
 */
export class FleetHub implements AsyncDisposable {
  readonly machine: FakeMachine;
  readonly port: number;
  readonly tls: TlsIdentity;
  readonly keys = new KeyStore({ read: async () => null, write: async () => {} });
  ownerToken = '';
  /** A take runs on the hub. */
  take = false;
  /** Its settings leave updates to it. */
  idle = false;
  #running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;
  readonly #state: StateStore;
  #hubRole: HubRole | null = null;
  #rollouts: Rollouts | null = null;

  private constructor(machine: FakeMachine, port: number, tls: TlsIdentity, state: StateStore) {
    this.machine = machine;
    this.#state = state;
    this.port = port;
    this.tls = tls;
  }

  static async create(releases: ReleaseServer): Promise<FleetHub> {
    const machine = await FakeMachine.create();
    await writeFile(machine.path('channel.pub'), releases.publicKeyPem);
    machine.settings = { ...machine.settings, url: releases.url };
    const state = new StateStore({ file: machine.path('state.json'), logger: log });
    await state.load();
    const tls = await createTlsIdentity('hub', new Date());
    const hub = new FleetHub(machine, await freePort(), tls, state);
    hub.ownerToken = (await hub.keys.create('owner', 'test')).token;
    return hub;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get rollout(): Rollout {
    const rollout = this.#rollouts?.status() ?? null;
    if (rollout === null) throw new Error('the hub does not run');
    return rollout;
  }

  get ports() {
    if (this.#rollouts === null) throw new Error('the hub does not run');
    return this.#rollouts.ports();
  }

  get hubRole(): HubRole {
    if (this.#hubRole === null) throw new Error('the hub does not run');
    return this.#hubRole;
  }

  /** Starts what runs on it; the machine has to be on. */
  start(): void {
    const stop = new AbortController();
    const hubRole: HubRole = new HubRole({
      hub: { id: hubId, name: () => 'hub' },
      keys: this.keys,
      state: this.#state,
      fingerprint: () => this.tls.fingerprint,
      takeRunning: () => this.take,
      onUnadopt: (id) => void rollouts.drop(id),
      onChange: () => {},
      log,
    });
    const rollouts: Rollouts = new Rollouts({
      hub: () => ({ id: hubId, name: 'hub' }),
      update: updatePort(() => this.machine.updater),
      cameras: hubRole.cameras,
      takeRunning: () => this.take,
      isHub: () => true,
      byItself: () => this.idle,
      folder: this.machine.path('ota'),
      fetch,
      onChange: () => {},
      log,
      timing: { intervalMs: 50, retryMs: 200, retellMs: 1500, considerMs: 100 },
    });
    this.#hubRole = hubRole;
    this.#rollouts = rollouts;
    const server = new ApiServer({
      ports: {
        ...apiPortsFake(),
        rollout: rollouts.ports(),
        acceptAgent: (socket, { keyId, address }) => hubRole.cameras.accept(socket, keyId, address),
      },
      access: { keys: this.keys, required: true },
      version: '1.0.0',
      pages: this.machine.root,
      listen: ['127.0.0.1'],
      port: 0,
      tls: { port: this.port, identity: this.tls },
      upstream: null,
      log,
    });
    const parts = [server, hubRole, rollouts];
    this.#running = { stop, ended: Promise.all(parts.map((part) => part.run(stop.signal))) };
  }

  /** Ends what runs on it, as a crash of the product does; the machine stays on. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.stop.abort();
    await running?.ended;
  }

  /** Restarts the machine if its updater asked for it. */
  async followRestarts(): Promise<void> {
    const kind = this.machine.restarts.shift();
    if (kind === undefined) return;
    await this.stop();
    await this.machine.powerOn(kind === 'trial');
    this.start();
  }

  /** What its API answers to a GET. */
  async statusOf(path: string, token: string | null): Promise<number> {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const tls = { ca: this.tls.certPem, checkServerIdentity: () => undefined };
    const asked = request(new URL(path, this.url), { headers, agent: false, ...tls }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'close');
    return answer.statusCode ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.machine[Symbol.asyncDispose]();
  }
}
