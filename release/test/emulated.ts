import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Machine, unpackDebian } from './machine.ts';
import { must, Report, until } from './report.ts';
import { run } from './run.ts';

/**
 * `sudo node release/test/emulated.ts PACKAGE.deb`: a clean Debian 13 for arm64 under systemd, run by qemu-user, installs the package
 * of that processor. Emulation is slow, so only installation, page, picture and purge are looked at. qemu-user lacks what systemd starts
 * services with: there, the program is started as the unit would, without its confinement. Needs root.
 */
const [named] = parseArgs({ allowPositionals: true }).positionals;
if (named === undefined || !existsSync(named)) throw new Error('needed: dist/rushlight_<version>_arm64.deb');
const deb = resolve(named);
const source = join(import.meta.dirname, '..', '..');
const cache = process.env.RUSHLIGHT_CACHE ?? join(source, 'image', 'cache');
const work = mkdtempSync('/var/tmp/rushlight-emulated-test.');
const patienceMs = 15 * 60_000;

const settings = `
role = "hub"
[http]
port = 8080
tls_port = 8443
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 5
`;

/** Lets the kernel run programs of arm64; image/build does the same for images. */
function allowForeignPrograms(): void {
  const script =
    'for part in common virt; do source "$IMAGE_DIR/lib/$part.sh"; done; need_tools arch-test:arch-test qemu-aarch64-static:qemu-user-static; foreign_programs arm64';
  run('bash', ['-euc', script], { IMAGE_DIR: join(source, 'image'), SOURCE_DIR: source });
}

/** Whether systemd can start no program here: not even its own journal runs. */
function startsNothing(machine: Machine): boolean {
  const { stdout } = machine.try('systemctl show --property Result --value systemd-journald rushlight');
  return stdout.split(/\s+/).includes('resources');
}

/** What rushlight.service does, but for its confinement. */
function startByHand(machine: Machine): void {
  process.stdout.write('systemd starts no service under qemu-user: the program is started without it\n');
  machine.run(`
    systemctl stop rushlight
    install -d -o rushlight -g rushlight -m 750 /var/lib/rushlight /run/rushlight
    cd /usr/lib/rushlight
    setsid setpriv --reuid rushlight --regid rushlight --init-groups env RUSHLIGHT_CONFIG=/etc/rushlight/rushlight.toml \\
      RUSHLIGHT_DATA=/var/lib/rushlight NODE_ENV=production RUSHLIGHT_PATIENCE=10 \\
      bin/node supervisor/main.ts < /dev/null > /run/rushlight.log 2>&1 &
    echo $! > /run/rushlight.pid`);
}

async function checkAll(machine: Machine): Promise<void> {
  const ask = (path: string, options = '') =>
    machine.run(
      `curl --silent --show-error --fail-with-body --insecure --max-time 60 ${options} --header "Authorization: Bearer $(cat /var/lib/rushlight/owner-token)" https://127.0.0.1:8443${path}`,
    );
  await report.check('apt installs the package of arm64', () => {
    machine.run(`mkdir -p /etc/rushlight && printf '${settings}' > /run/rushlight.toml`);
    machine.run(`apt-get install --yes --quiet --no-install-recommends ${deb}`);
    must(machine.run('dpkg --print-architecture').trim() === 'arm64', 'that is no arm64');
  });
  machine.run('cat /run/rushlight.toml > /etc/rushlight/rushlight.toml');
  const byHand = startsNothing(machine);
  if (byHand) startByHand(machine);
  await report.check(`${byHand ? 'the program' : 'the service'} is up, and the page answers`, async () => {
    await until('the page', () => ask('/').includes('<!doctype html>'), patienceMs);
    const pid = byHand ? 'cat /run/rushlight.pid' : 'systemctl show --property MainPID --value rushlight';
    const account = machine.run(`stat -c %U /proc/$(${pid})`);
    must(account.trim() === 'rushlight', `it runs as ${account}`);
    must(
      byHand || machine.run('systemctl is-active rushlight').trim() === 'active',
      'the service is not active',
    );
  });
  await report.check('a picture is viewed', async () => {
    const look = () => {
      ask('/stream/cam0.jpg', '--output /run/picture.jpg');
      return machine.run('head -c 2 /run/picture.jpg | od -An -tx1').trim() === 'ff d8';
    };
    await until('a JPEG', look, patienceMs);
  });
  await report.check('purge leaves nothing', () => {
    if (byHand) machine.run('kill $(cat /run/rushlight.pid)');
    machine.run('apt-get purge --yes --quiet rushlight');
    must(
      machine.try('test -e /var/lib/rushlight || test -e /usr/lib/rushlight').status !== 0,
      'files are left',
    );
  });
}

const report = new Report();
const root = join(work, 'root');
try {
  await report.check('a clean Debian 13 for arm64 is there', () => {
    allowForeignPrograms();
    unpackDebian(cache, 'arm64', root);
  });
  await using machine = await Machine.start(root, [dirname(deb)], patienceMs);
  await checkAll(machine);
  report.end();
} finally {
  rmSync(work, { recursive: true, force: true });
}
