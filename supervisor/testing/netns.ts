import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why network namespaces are not available here, or null if they are. */
export async function netnsObstacle(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `rl-probe-${randomBytes(3).toString('hex')}`;
  try {
    await ip('netns', 'add', probe);
    await ip('-n', probe, 'link', 'add', 'probe0', 'type', 'veth', 'peer', 'name', 'probe1');
    return null;
  } catch (error) {
    return `network namespaces cannot be made here: ${String(error)}`;
  } finally {
    await ip('netns', 'del', probe).catch(() => {
      // It could not be added either.
    });
  }
}

/**
 * A LAN of its own for tests, without any way out: a bridge in one network namespace, and a namespace for each host,
 * joined by a veth cable. Multicast works on it. Everything is gone after disposal, programs in it included.
 *
 *     await using lan = await new TestLan().open();
 *     const hub = await lan.addHost('hub', '10.77.0.1/24');
 *     const child = hub.spawn(process.execPath, 'supervisor/main.ts');
 *     await hub.cutCable();
 */
export class TestLan implements AsyncDisposable {
  readonly #prefix = `rl${randomBytes(3).toString('hex')}`;
  readonly #hosts: TestHost[] = [];
  #switch = '';

  async open(): Promise<this> {
    this.#switch = `${this.#prefix}-sw`;
    await ip('netns', 'add', this.#switch);
    await ip('-n', this.#switch, 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0');
    await sysctl(this.#switch, 'net.ipv6.conf.all.disable_ipv6=1');
    await ip('-n', this.#switch, 'link', 'set', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    await ip('-n', this.#switch, 'link', 'set', 'br0', 'up');
    return this;
  }

  /** A host with one interface, `eth0`, at this address (with prefix length, such as `10.77.0.2/24`). */
  async addHost(name: string, address: string): Promise<TestHost> {
    const host = new TestHost(`${this.#prefix}-${name}`, this.#switch, `p${this.#hosts.length}`);
    this.#hosts.push(host);
    await host.open(address);
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host[Symbol.asyncDispose]()));
    if (this.#switch !== '') await ip('netns', 'del', this.#switch);
    this.#switch = '';
  }
}

/** A host of a {@link TestLan}. */
export class TestHost implements AsyncDisposable {
  readonly namespace: string;
  readonly #switch: string;
  readonly #port: string;
  readonly #children = new Set<ChildProcess>();
  #open = false;

  constructor(namespace: string, switchNamespace: string, port: string) {
    this.namespace = namespace;
    this.#switch = switchNamespace;
    this.#port = port;
  }

  async open(address: string): Promise<void> {
    await ip('netns', 'add', this.namespace);
    this.#open = true;
    // The name service of a namespace: without this file lookups would go to the machine's own resolver, and hang.
    await mkdir(this.#etc(), { recursive: true });
    await writeFile(join(this.#etc(), 'resolv.conf'), '');
    const peer = ['peer', 'name', this.#port, 'netns', this.#switch];
    await ip('-n', this.namespace, 'link', 'add', 'eth0', 'type', 'veth', ...peer);
    await ip('-n', this.#switch, 'link', 'set', this.#port, 'master', 'br0', 'up');
    await ip('-n', this.namespace, 'link', 'set', 'lo', 'up');
    await ip('-n', this.namespace, 'link', 'set', 'eth0', 'up');
    await this.addAddress(address);
  }

  /** Gives `eth0` one more address. An IPv6 one counts at once, without a look for others that have it. */
  async addAddress(address: string): Promise<void> {
    const unchecked = address.includes(':') ? ['nodad'] : [];
    await ip('-n', this.namespace, 'address', 'add', address, 'dev', 'eth0', ...unchecked);
  }

  /** Gives `eth0` another address; the former one is removed. */
  async setAddress(address: string): Promise<void> {
    await ip('-n', this.namespace, 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    await ip('-n', this.namespace, 'address', 'add', address, 'dev', 'eth0');
  }

  /** From now on none of the host's UDP leaves it, as in a network that lets TCP through alone. */
  async blockUdp(): Promise<void> {
    for (const family of ['-4', '-6'])
      await ip('-n', this.namespace, family, 'rule', 'add', 'ipproto', 'udp', 'blackhole');
  }

  /** Names that programs started from now on resolve: several addresses for one name are returned in this order. */
  async nameHosts(names: readonly (readonly [address: string, name: string])[]): Promise<void> {
    await writeFile(join(this.#etc(), 'hosts'), names.map((entry) => `${entry.join(' ')}\n`).join(''));
  }

  /** Pulls the cable: both ends lose the carrier, addresses stay. */
  async cutCable(): Promise<void> {
    await ip('-n', this.#switch, 'link', 'set', this.#port, 'down');
  }

  async restoreCable(): Promise<void> {
    await ip('-n', this.#switch, 'link', 'set', this.#port, 'up');
  }

  /**
   * Puts a queue discipline of tc(8) before what the host sends: `shape('tbf', 'rate', '3mbit', 'burst', '32kbit', 'latency',
   * '400ms')`. The kernel decides which ones exist.
   */
  async shape(...discipline: readonly string[]): Promise<void> {
    await run('tc', ['-n', this.namespace, 'qdisc', 'replace', 'dev', 'eth0', 'root', ...discipline]);
  }

  /** Starts a program in the namespace; it is killed at disposal at the latest. */
  spawn(program: string, ...args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace, program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map(killed));
    if (!this.#open) return;
    this.#open = false;
    await this.#killRest();
    await ip('netns', 'del', this.namespace);
    await rm(this.#etc(), { recursive: true, force: true });
  }

  /** Processes that this namespace's programs started and left behind. */
  async #killRest(): Promise<void> {
    const { stdout } = await run('ip', ['netns', 'pids', this.namespace]);
    for (const pid of stdout.split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }

  #etc(): string {
    return join('/etc/netns', this.namespace);
  }
}

function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', [...args]);
}

async function sysctl(namespace: string, setting: string): Promise<void> {
  await run('ip', ['netns', 'exec', namespace, 'sysctl', '-q', '-w', setting]);
}
