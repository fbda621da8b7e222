import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './report.ts';
import { run, tryRun } from './run.ts';

/** The user who has no root, in containers either, and its number inside them. */
const user = 60_123;
const inner = 10_001;

interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: string[];
}

interface Namespace {
  readonly type: string;
  readonly path?: string;
}

interface RuntimeConfig {
  root: { readonly?: boolean };
  process: {
    terminal: boolean;
    user: object;
    env: string[];
    capabilities?: object;
    noNewPrivileges?: boolean;
  };
  mounts: Mount[];
  linux: { namespaces: Namespace[]; uidMappings?: object[]; gidMappings?: object[]; resources?: object };
}

/** How a container is started beyond what its image says. */
export interface ContainerOptions {
  /** Folders and files of {@link RootlessHost.folder}, by their place inside. */
  readonly binds: Readonly<Record<string, { readonly source: string; readonly writable: boolean }>>;
  readonly env?: readonly string[];
  /** A container whose network this one shares; otherwise it has one of its own, with loopback alone. */
  readonly network?: Container;
}

/** Where an ordinary user unpacks images and runs them with crun, without a daemon. Needs root only to become that user. */
export class RootlessHost implements Disposable {
  /** What the user owns. */
  readonly folder = mkdtempSync('/var/tmp/rushlight-container-test.');

  /** A command as that user; crun wants the cgroups of today, which a host may have beside the old ones. */
  asUser(...command: string[]): [string, string[]] {
    const modern = existsSync('/sys/fs/cgroup/cgroup.procs');
    const cgroups = modern
      ? ''
      : 'umount --recursive /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && ';
    const script = `${cgroups}exec setpriv --reuid ${user} --regid ${user} --clear-groups env HOME=${this.folder} "$@"`;
    return ['unshare', ['--mount', '--propagation', 'private', 'bash', '-ec', script, 'as-user', ...command]];
  }

  crun(...args: string[]): [string, string[]] {
    return this.asUser('crun', '--cgroup-manager=disabled', '--root', join(this.folder, 'state'), ...args);
  }

  /** Unpacks an image of `npm run release`. */
  unpack(image: string, name: string): string {
    const layout = join(this.folder, `${name}-layout`);
    mkdirSync(layout);
    run('tar', ['--extract', '--file', image, '--directory', layout]);
    const tag = keepOwnProcessor(layout);
    run('chown', ['--recursive', `${user}:${user}`, this.folder]);
    const bundle = join(this.folder, name);
    run(...this.asUser('umoci', 'unpack', '--rootless', '--image', `${layout}:${tag}`, bundle));
    return bundle;
  }

  /** Starts what was unpacked, with no root at all and a root that can only be read. */
  start(name: string, options: ContainerOptions): Container {
    tighten(join(this.folder, name, 'config.json'), this.folder, options);
    const [program, args] = this.crun('run', '--bundle', join(this.folder, name), name);
    return new Container(this, name, spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A container that runs. */
export class Container implements AsyncDisposable {
  readonly #host: RootlessHost;
  readonly #name: string;
  readonly #process: ChildProcess;
  /** What it printed. */
  log = '';

  constructor(host: RootlessHost, name: string, started: ChildProcess) {
    this.#host = host;
    this.#name = name;
    this.#process = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (part) => (this.log += String(part)));
    }
  }

  /** Runs a command inside. */
  try(...command: string[]): ReturnType<typeof tryRun> {
    return tryRun(...this.#host.crun('exec', '--user', `${inner}:${inner}`, this.#name, ...command));
  }

  /** The number of its first process. */
  pid(): number {
    return JSON.parse(run(...this.#host.crun('state', this.#name))).pid;
  }

  /** Asks it to end, and waits for that. */
  async end(): Promise<number | null> {
    const ended = once(this.#process, 'exit');
    run(...this.#host.crun('kill', this.#name, 'TERM'));
    const patience = setTimeout(() => this.#process.kill('SIGKILL'), 30_000);
    const [code] = await ended;
    clearTimeout(patience);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    tryRun(...this.#host.crun('delete', '--force', this.#name));
    await ended;
  }
}

function tighten(file: string, folder: string, { binds, env = [], network }: ContainerOptions): void {
  const config: RuntimeConfig = JSON.parse(readFileSync(file, 'utf8'));
  must(JSON.stringify(config.process.user).includes(String(inner)), 'the image would run as root');
  config.root.readonly = true;
  config.process.terminal = false;
  config.process.noNewPrivileges = true;
  config.process.capabilities = {};
  config.process.env.push(...env);
  delete config.linux.resources;
  const others = config.linux.namespaces.filter(({ type }) => type !== 'network' && type !== 'user');
  if (network === undefined) {
    config.linux.namespaces = [...others, { type: 'user' }, { type: 'network' }];
    const mapping = [{ containerID: inner, hostID: user, size: 1 }];
    config.linux.uidMappings = mapping;
    config.linux.gidMappings = mapping;
  } else {
    // Only who is in the namespace of users that made a network may join it.
    const shared = (type: string, file: string) => ({ type, path: `/proc/${network.pid()}/ns/${file}` });
    config.linux.namespaces = [...others, shared('user', 'user'), shared('network', 'net')];
    delete config.linux.uidMappings;
    delete config.linux.gidMappings;
  }
  config.mounts = [
    ...config.mounts
      .filter(({ destination }) => !(destination in binds) && destination !== '/etc/resolv.conf')
      .map((one) => ({ ...one, options: (one.options ?? []).filter((word) => !/^[ug]id=/.test(word)) })),
    ...Object.entries(binds).map(([destination, { source, writable }]) => ({
      destination,
      type: 'bind',
      source: join(folder, source),
      options: ['rbind', writable ? 'rw' : 'ro'],
    })),
  ];
  writeFileSync(file, JSON.stringify(config));
}

/** Leaves in the layout the image of this machine's processor alone, as a runtime that fetches it would. Returns its tag. */
function keepOwnProcessor(layout: string): string {
  const read = (file: string) => JSON.parse(readFileSync(join(layout, file), 'utf8'));
  const [named] = read('index.json').manifests;
  const own = process.arch === 'x64' ? 'amd64' : process.arch;
  const { manifests } = read(join('blobs', ...named.digest.split(':')));
  const image = manifests.find(
    (one: { platform: { architecture: string } }) => one.platform.architecture === own,
  );
  must(image !== undefined, `there is no image for ${own}`);
  const index = { schemaVersion: 2, manifests: [{ ...image, annotations: named.annotations }] };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  return named.annotations['org.opencontainers.image.ref.name'];
}
