import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './report.ts';
import { run, tryRun } from './run.ts';

/** What apt fetches from Debian for our packages: it lies in the root, so that the machine needs no network. */
const fromDebian = [
  'ffmpeg',
  'fonts-dejavu-core',
  'v4l-utils',
  'nodejs',
  'init-system-helpers',
  'libstdc++6',
  'iproute2',
  'udev',
];

/** Makes a clean Debian 13 with systemd as a tar, unless it is there. */
function cleanDebian(cache: string, arch: string): string {
  const include = 'systemd,systemd-sysv,dbus,ca-certificates,curl';
  const key = createHash('sha256')
    .update([include, ...fromDebian].join())
    .digest('hex')
    .slice(0, 16);
  const tar = join(cache, `release-test-${arch}-${key}.tar`);
  if (existsSync(tar)) return tar;
  mkdirSync(cache, { recursive: true });
  process.stdout.write(`making a clean Debian 13 for ${arch} …\n`);

  const download = `APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get install --yes --no-install-recommends --download-only ${fromDebian.join(' ')}`;
  // It goes by the end of the name what to make.
  const partial = tar.replace(/\.tar$/, '.partial.tar');
  run('mmdebstrap', [
    '--variant=minbase',
    `--architectures=${arch}`,
    `--include=${include}`,
    `--customize-hook=${download}`,
    '--skip=cleanup/apt,cleanup/reproducible',
    'trixie',
    partial,
  ]);
  run('mv', [partial, tar]);
  return tar;
}

/** Unpacks a clean Debian 13 as a machine's root. */
export function unpackDebian(cache: string, arch: string, root: string): void {
  mkdirSync(root);
  const tar = cleanDebian(cache, arch);
  run('tar', ['--extract', '--file', tar, '--directory', root, '--numeric-owner', '--xattrs']);
  // Nothing of it has to survive a power cut, and waiting for the disk after each package takes minutes.
  writeFileSync(join(root, 'etc', 'dpkg', 'dpkg.cfg.d', 'unsafe-io'), 'force-unsafe-io\n');
}

/** A machine that runs systemd on a root folder, with a network of its own that has only loopback. */
export class Machine implements AsyncDisposable {
  readonly root: string;
  readonly #nspawn: ChildProcess;
  readonly #pid: number;

  private constructor(root: string, nspawn: ChildProcess, pid: number) {
    this.root = root;
    this.#nspawn = nspawn;
    this.#pid = pid;
  }

  /** Starts it; `shared` folders lie at the same path inside, read-only. */
  static async start(root: string, shared: readonly string[], patienceMs = 60_000): Promise<Machine> {
    const binds = shared.map((folder) => `--bind-ro=${folder}`);
    // Two tests may run at once.
    const name = `rushlight-release-test-${process.pid}`;
    // systemd wants the cgroups of today, which a host may have beside the old ones.
    const script = `
      if ! [ -e /sys/fs/cgroup/cgroup.procs ]; then
        umount --recursive /sys/fs/cgroup
        mount -t cgroup2 none /sys/fs/cgroup
      fi
      mkdir -p /sys/fs/cgroup/${name}
      echo $$ > /sys/fs/cgroup/${name}/cgroup.procs
      exec systemd-nspawn --quiet --register=no --keep-unit --machine=${name} --directory="$1" \
        --private-network --boot --console=read-only "\${@:2}"`;
    const nspawn = spawn(
      'unshare',
      ['--mount', '--propagation', 'private', 'bash', '-ec', script, 'machine', root, ...binds],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const pid = await until('systemd starts', () => {
      if (nspawn.exitCode !== null) throw new Error('systemd-nspawn ended');
      return childOf(nspawn.pid);
    });
    const machine = new Machine(root, nspawn, pid);
    await until(
      'the machine is up',
      () => /running|degraded/.test(machine.try('systemctl is-system-running').stdout),
      patienceMs,
    );
    return machine;
  }

  /** Runs a shell command inside, as root; throws if it fails. */
  run(command: string): string {
    return run('nsenter', this.#inside(command));
  }

  try(command: string): { status: number | null; stdout: string; stderr: string } {
    return tryRun('nsenter', this.#inside(command));
  }

  /** Files that bear our name, but for what is mounted, made by the kernel or apt's own. */
  filesOfOurs(): string[] {
    return this.run(
      "find / -xdev \\( -path /var/tmp -o -path /var/lib/apt -o -path /var/cache/apt \\) -prune -o -iname '*rushlight*' -print",
    )
      .split('\n')
      .filter((path) => path !== '');
  }

  #inside(command: string): string[] {
    const environment = [
      'PATH=/usr/sbin:/usr/bin',
      'LC_ALL=C.UTF-8',
      'DEBIAN_FRONTEND=noninteractive',
      'HOME=/root',
    ];
    return [
      '--all',
      '--root',
      '--wdns=/',
      `--target=${this.#pid}`,
      'env',
      '-i',
      ...environment,
      'sh',
      '-ec',
      command,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#nspawn, 'exit');
    this.try('systemctl --no-block poweroff');
    const patience = setTimeout(() => process.kill(this.#pid, 'SIGKILL'), 30_000);
    await ended;
    clearTimeout(patience);
  }
}

function childOf(parent: number | undefined): number | null {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  const [first] = children.split(' ');
  if (first === undefined || first === '') return null;
  const name = readFileSync(`/proc/${first}/comm`, 'utf8').trim();
  return name === 'systemd' ? Number(first) : null;
}
