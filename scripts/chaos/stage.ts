import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Feed, NewCamera, Status } from '../../supervisor/contract/index.ts';
import { type TestHost, TestLan } from '../../supervisor/testing/netns.ts';
import { DiskFaults } from '../testing/disk-faults/disk-faults.ts';
import { apiPort, Machine } from '../testing/machine.ts';
import { JsonAgent } from './json-agent.ts';
import type { MachineName } from './plan.ts';

/** Addresses of the machines. */
export const addresses = { hub: '10.77.0.1', camera: '10.77.0.2', stranger: '10.77.0.66' } as const;
/** Somebody else listens there, on both machines. */
export const takenPort = 8088;
/** Port of HTTPS on both machines. */
export const tlsPort = 8443;
/** Port of the broker. */
export const brokerPort = 1883;
/** The test picture. */
export const picture = { width: 320, height: 180, fps: 25 } as const;
/** The one source of each machine. */
export const sourceOf: Readonly<Record<MachineName, string>> = { hub: 'own', camera: 'cam0' };

/** A machine of the run, with its disk for masters. */
export interface Player {
  readonly name: MachineName;
  readonly machine: Machine;
  readonly host: TestHost;
  readonly disk: DiskFaults;
  /** Settings as they should be. */
  readonly settings: string;
}

/** Hub and camera with TLS and keys, a broker, and a stranger on the same network. All of it is gone after disposal. */
export class Stage implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #players: Player[] = [];
  #stranger: TestHost | null = null;
  #presser: JsonAgent | null = null;
  #attacker: JsonAgent | null = null;
  #brokerConfig = '';

  async open(): Promise<this> {
    const lan = this.#stack.use(await new TestLan().open());
    for (const name of ['hub', 'camera'] as const) this.#players.push(await this.#addPlayer(lan, name));
    this.#stranger = await lan.addHost('stranger', `${addresses.stranger}/24`);
    const folder = await this.#folder('broker');
    this.#brokerConfig = join(folder, 'mosquitto.conf');
    const lines = ['user root', `listener ${brokerPort} 0.0.0.0`, 'allow_anonymous true'];
    await writeFile(this.#brokerConfig, `${lines.join('\n')}\n`);
    return this;
  }

  /** Boots both machines, and lets the hub adopt the camera. */
  async boot(): Promise<void> {
    for (const { host } of this.#players) {
      host.spawn(process.execPath, '-e', `require('node:net').createServer().listen(${takenPort})`);
    }
    this.#presser = new JsonAgent(this.player('hub').host, 'presser-process.ts', [String(brokerPort)]);
    this.#attacker = new JsonAgent(this.stranger, 'attacker-process.ts');
    await Promise.all(this.#players.map(({ machine, settings }) => machine.boot(settings)));
    await this.#adopt();
    await this.feedArrives();
  }

  player(name: MachineName): Player {
    const found = this.#players.find((player) => player.name === name);
    if (found === undefined) throw new Error('the stage is not open');
    return found;
  }

  get players(): readonly Player[] {
    return this.#players;
  }

  get stranger(): TestHost {
    return present(this.#stranger);
  }

  /** Publishes to the broker. */
  get presser(): JsonAgent {
    return present(this.#presser);
  }

  /** Attacks from the stranger's machine. */
  get attacker(): JsonAgent {
    return present(this.#attacker);
  }

  /** The broker, on the hub's machine. */
  startBroker(): ReturnType<TestHost['spawn']> {
    const broker = this.player('hub').host.spawn('/usr/sbin/mosquitto', '-c', this.#brokerConfig);
    for (const stream of [broker.stdout, broker.stderr]) stream?.resume();
    return broker;
  }

  status(name: MachineName): Promise<Status> {
    return this.player(name).machine.ask<Status>('GET', '/api/status');
  }

  /** Until the hub passes on new frames of the camera. */
  async feedArrives(): Promise<void> {
    const { machine } = this.player('hub');
    let before: number | null = null;
    await machine.until(
      'the feed of the camera arrives at the hub',
      async () => {
        const feeds = await machine.ask<Feed[]>('GET', '/api/feeds');
        const feed = feeds.find(({ id, state }) => id === sourceOf.camera && state === 'online');
        const grown = feed !== undefined && before !== null && feed.framesTotal > before;
        before = feed?.framesTotal ?? null;
        return grown;
      },
      120_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #addPlayer(lan: TestLan, name: MachineName): Promise<Player> {
    const masters = await this.#folder(`${name}-disk`);
    await mkdir(join(masters, 'disk'));
    const disk = this.#stack.use(await DiskFaults.over(join(masters, 'disk')));
    const host = await lan.addHost(name, `${addresses[name]}/24`);
    const machine = this.#stack.use(new Machine(host, disk.environment));
    return { name, machine, host, disk, settings: settingsOf(name, disk.folder) };
  }

  async #folder(name: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), `rushlight-chaos-${name}-`));
    this.#stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
    return folder;
  }

  /** Like the owner, who compares the codes that both show. */
  async #adopt(): Promise<void> {
    const { machine: hub } = this.player('hub');
    const { machine: camera } = this.player('camera');
    const code = await camera.until(
      'the camera shows a code',
      async () => (await this.status('camera')).adoption?.code,
      120_000,
    );
    const waiting = await hub.until('the hub shows the camera', async () => {
      const found = await hub.ask<NewCamera[]>('GET', '/api/cameras/new');
      return found.find((one) => one.code === code);
    });
    await hub.ask('POST', `/api/cameras/${waiting.id}/adopt`, { code });
    await camera.until('the camera is linked', async () => {
      return (await this.status('camera')).hub?.state === 'connected';
    });
  }
}

function settingsOf(name: MachineName, masters: string): string {
  const role = name === 'hub' ? 'role = "hub"\nname = "stage"' : 'role = "camera"\nname = "left"';
  return `${role}
[http]
listen = ["0.0.0.0"]
port = ${apiPort}
tls = true
tls_port = ${tlsPort}
[devices]
adopt = "ask"
[masters]
path = "${masters}"
strategy = "direct"
[mqtt]
url = "mqtt://${addresses.hub}:${brokerPort}"
[[source]]
id = "${sourceOf[name]}"
kind = "test"
width = ${picture.width}
height = ${picture.height}
fps = ${picture.fps}
`;
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('the stage is not open');
  return value;
}
