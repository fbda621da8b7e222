import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Machine, unpackDebian } from './machine.ts';
import { must, Report, until } from './report.ts';
import { run } from './run.ts';

/**
 * `sudo node release/test/install.ts [--tree FOLDER] [--packages FOLDER]`: a clean Debian 13 under systemd installs, upgrades and purges the packages
 * from a signed repository. A tree that `release/pack tree` made saves the time to make it again.
 */
const { values } = parseArgs({ options: { tree: { type: 'string' }, packages: { type: 'string' } } });
const source = join(import.meta.dirname, '..', '..');
const pack = join(source, 'release', 'pack');
const cache = process.env.RUSHLIGHT_CACHE ?? join(source, 'image', 'cache');
const work = mkdtempSync('/var/tmp/rushlight-release-test.');
/** Packages of an earlier run can be used again. */
const packages = values.packages ?? join(work, 'packages');
const env = { RUSHLIGHT_RELEASE_KEYS: join(packages, 'keys') };
const tree = values.tree ?? join(work, 'tree');
const repository = join(work, 'apt');
const [before, now, broken, next] = ['0.1.9', '0.2.0', '0.2.1', '0.2.2'];

const settings = `
role = "hub"
[[source]]
id = "cam0"
kind = "test"
width = 640
height = 360
fps = 10
[masters]
reserve_mb = 64
`;

const deb = (version: string) => join(packages, `rushlight_${version}_amd64.deb`);

function makePackages(): void {
  if (values.tree === undefined) run(pack, ['tree', '--arch', 'amd64', '--out', tree], env);
  if (existsSync(deb(next))) return;
  const fast = ['--fast', '--out', packages];
  for (const version of [before, now, next]) {
    run(pack, ['deb', '--arch', 'amd64', '--tree', tree, '--version', version, ...fast], env);
  }
  const damaged = join(work, 'damaged');
  run('cp', ['-a', tree, damaged]);
  writeFileSync(join(damaged, 'supervisor', 'main.ts'), 'throw new Error("this version is broken");\n');
  run(pack, ['deb', '--arch', 'amd64', '--tree', damaged, '--version', broken, ...fast], env);
  run(pack, ['keyring', '--version', now, ...fast], env);
  run(pack, ['agent', '--version', now, ...fast], env);
}

/** Offers one version of the product, as a new release does. */
function offer(version: string): void {
  const all = ['rushlight-agent', 'rushlight-archive-keyring'].map((name) =>
    join(packages, `${name}_${now}_all.deb`),
  );
  run(pack, ['apt', '--out', repository, deb(version), ...all], env);
}

async function checkAll(machine: Machine): Promise<void> {
  const hub = new Hub(machine);
  const install = (name: string) =>
    machine.try(`apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends ${name}`);
  const upgrade = (to: string) => {
    offer(to);
    return install('rushlight');
  };
  const keyring = '/etc/apt/keyrings/rushlight-archive-keyring.pgp';
  const clean = machine.filesOfOurs();

  await report.check('apt refuses a repository that another key signed', () => {
    machine.run(
      `mkdir -p /etc/apt/keyrings && cp "$(ls /usr/share/keyrings/debian-archive-keyring.* | head -n 1)" ${keyring} && printf 'Types: deb\nURIs: file:${repository}\nSuites: stable\nComponents: main\nSigned-By: ${keyring}\n' > /etc/apt/sources.list.d/rushlight.sources`,
    );
    const { status, stdout, stderr } = install('rushlight');
    must(
      status !== 0 && /not signed|not be verified|NO_PUBKEY|Missing key/i.test(stdout + stderr),
      stdout + stderr,
    );
  });
  await report.check('apt refuses a package with one flipped bit', () => {
    machine.run(`cp ${repository}/rushlight-archive-keyring.pgp ${keyring}`);
    const file = join(repository, 'pool/main/r/rushlight', `rushlight_${before}_amd64.deb`);
    flipBit(file);
    const { status, stdout, stderr } = install('rushlight');
    flipBit(file);
    must(
      status !== 0 && /Hash Sum mismatch|Hashes? of expected file/i.test(stdout + stderr),
      stdout + stderr,
    );
  });
  await report.check(`apt installs ${before}, the service is up, and the page answers`, async () => {
    const { status, stdout, stderr } = install('rushlight');
    must(status === 0, stdout + stderr);
    must(machine.run('systemctl is-active rushlight').trim() === 'active', 'the service is not active');
    must(machine.run('systemctl is-enabled rushlight').trim() === 'enabled', 'the service is not enabled');
    must(hub.text('/').includes('<!doctype html>'), 'the page does not answer');
    must(hub.version() === before, `it runs ${hub.version()}`);
  });
  await report.check('it runs as its own account, and rushlight status answers', () => {
    const account = machine
      .run('stat -c %U /proc/$(systemctl show --property MainPID --value rushlight)')
      .trim();
    must(account === 'rushlight', `the service runs as ${account}`);
    must(machine.run('rushlight status').includes('hub'), 'the command line does not answer');
  });
  await report.check('a picture of a source in the settings is viewed', async () => {
    machine.run(`cat > /etc/rushlight/rushlight.toml << 'EOF'\n${settings}\nEOF`);
    await hub.picture('cam0');
  });
  let take = '';
  await report.check('a take is recorded and verified', async () => {
    take = await hub.startTake();
    await until('it records', () => hub.take(take)?.state === 'recording');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    hub.stopTake(take);
    await until('it is verified', () => hub.take(take)?.state === 'verified');
  });
  let key = '';
  await report.check('a key and a setting of the page are kept by the old version', () => {
    key = machine.run('rushlight key create viewer somebody').trim();
    hub.json('/api/config', `--request PATCH --json '{"name":"stage-left"}'`);
    must(
      machine.run(
        `curl -ks -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer ${key}' https://127.0.0.1/api/feeds`,
      ) === '200',
      'the key does not open it',
    );
  });
  await report.check('an upgrade during a take is refused, and the take goes on', async () => {
    const running = await hub.startTake();
    await until('it records', () => hub.take(running)?.state === 'recording');
    const { status, stdout, stderr } = upgrade(now);
    must(status !== 0 && /a take is running/.test(stdout + stderr), stdout + stderr);
    must(hub.version() === before, `it runs ${hub.version()}`);
    must(hub.take(running)?.state === 'recording', 'the take has ended');
    hub.stopTake(running);
    await until('it is verified', () => hub.take(running)?.state === 'verified');
  });
  const keeps = async (version: string) => {
    must(hub.version() === version, `it runs ${hub.version()}`);
    must(hub.take(take)?.state === 'verified', 'the take is gone');
    must(hub.text('/api/config').includes('stage-left'), 'the setting of the page is gone');
    must(
      machine.run('grep -c cam0 /etc/rushlight/rushlight.toml').trim() === '1',
      'the settings file changed',
    );
    must(
      machine.run(
        `curl -ks -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer ${key}' https://127.0.0.1/api/feeds`,
      ) === '200',
      'the key is gone',
    );
    await hub.picture('cam0');
  };
  await report.check(`an upgrade to ${now} keeps settings, keys and takes`, async () => {
    const { status, stdout, stderr } = upgrade(now);
    must(status === 0, stdout + stderr);
    await keeps(now);
    must(
      machine.try('test -e /usr/lib/rushlight.previous').status !== 0,
      'the version before is still there',
    );
  });
  await report.check(
    `an upgrade to ${broken}, which does not start, fails, and ${now} works on`,
    async () => {
      const { status, stdout, stderr } = upgrade(broken);
      must(status !== 0 && /the one before runs on/.test(stdout + stderr), stdout + stderr);
      await until('it answers', () => hub.version() === now);
      await keeps(now);
      machine.run('systemctl restart rushlight');
      await keeps(now);
    },
  );
  await report.check(`an upgrade to ${next} mends it and leaves nothing of the other`, async () => {
    const { status, stdout, stderr } = upgrade(next);
    must(status === 0, stdout + stderr);
    await keeps(next);
    must(
      machine.try('test -e /usr/lib/rushlight.previous || test -e /etc/systemd/system/rushlight.service.d')
        .status !== 0,
      'something is left',
    );
  });
  await report.check('the light agent publishes a feed', async () => {
    const { status, stdout, stderr } = install('rushlight-agent');
    must(status === 0, stdout + stderr);
    const certificate = join(machine.root, 'var/lib/rushlight/tls-cert.pem');
    const names = run('openssl', ['x509', '-in', certificate, '-noout', '-ext', 'subjectAltName']);
    const name = /DNS:([^,\s]+)/.exec(names)?.[1];
    machine.run(
      `cp /var/lib/rushlight/tls-cert.pem /etc/rushlight-agent/hub.pem && chmod 644 /etc/rushlight-agent/hub.pem && rushlight key create camera shed > /etc/rushlight-agent/shed.key && printf 'HUB=https://${name}\\nCA=/etc/rushlight-agent/hub.pem\\nINPUT=-f lavfi -i testsrc2=size=320x240:rate=10\\n' > /etc/rushlight-agent/shed.conf && echo 127.0.0.1 ${name} >> /etc/hosts && systemctl start rushlight-agent@shed`,
    );
    try {
      await hub.picture('shed');
    } catch (error) {
      process.stdout.write(machine.try('journalctl --no-pager --lines 30 --unit "rushlight-agent@*"').stdout);
      throw error;
    }
    machine.run('apt-get purge --yes --quiet rushlight-agent');
  });
  await report.check('remove keeps settings, keys and takes; installed again, it has them', async () => {
    machine.run('apt-get remove --yes --quiet rushlight');
    must(machine.run('find /proc -maxdepth 1 -user rushlight') === '', 'something still runs');
    machine.run(`ls /var/lib/rushlight/takes/*${take}*/cam0/*.mkv`);
    const { status, stdout, stderr } = install('rushlight');
    must(status === 0, stdout + stderr);
    await keeps(next);
  });
  await report.check('purge keeps recorded takes and says so; installed again, it lists them', async () => {
    const { stdout, stderr } = machine.try('apt-get purge --yes --quiet rushlight');
    must(/recorded takes were kept in \/var\/lib\/rushlight\/takes/.test(stdout + stderr), stdout + stderr);
    must(machine.run('ls -A /var/lib/rushlight').trim() === 'takes', 'more than takes is left');
    must(
      machine.run('find /var/lib/rushlight ! -user root') === '',
      'something belongs to an account that is gone',
    );
    const again = install('rushlight');
    must(again.status === 0, again.stdout + again.stderr);
    await until('the take is listed', () => hub.take(take)?.state === 'verified');
  });
  await report.check('purge leaves nothing if no take is there', async () => {
    for (const { id } of hub.json('/api/takes')) hub.text(`/api/takes/${id}`, '--request DELETE');
    await until('the takes are gone', () => hub.json('/api/takes').length === 0);
    machine.run('apt-get purge --yes --quiet rushlight && apt-get autoremove --purge --yes --quiet');
    must(machine.try('getent passwd rushlight').status !== 0, 'the account is left');
    const left = machine
      .filesOfOurs()
      .filter((path) => !clean.includes(path) && !path.startsWith('/etc/apt/'));
    must(left.length === 0, `left: ${left.join(', ')}`);
    must(machine.run('systemctl list-units --all --no-legend "rushlight*"').trim() === '', 'a unit is left');
  });
}

/** The hub inside the machine, asked with the key of its owner. */
class Hub {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  text(path: string, options = ''): string {
    return this.#machine.run(
      `curl --silent --show-error --fail-with-body --insecure --max-time 20 ${options} --header "Authorization: Bearer $(cat /var/lib/rushlight/owner-token)" https://127.0.0.1${path}`,
    );
  }

  // biome-ignore lint/suspicious/noExplicitAny: the API's answers are checked by the product's own tests
  json(path: string, options = ''): any {
    return JSON.parse(this.text(path, options));
  }

  version(): string {
    return this.json('/api/status').device.version;
  }

  /** A source may have a picture a moment before it can be recorded. */
  startTake(): Promise<string> {
    return until('a take starts', () => this.json('/api/takes', "--request POST --json '{}'").id);
  }

  stopTake(id: string): void {
    this.text(`/api/takes/${id}/stop`, '--request POST');
  }

  take(id: string): { state: string } | undefined {
    return this.json('/api/takes').find((take: { id: string }) => take.id === id);
  }

  /** Until the feed gives a JPEG. */
  async picture(feed: string): Promise<void> {
    await until(`a picture of ${feed}`, () => {
      this.text(`/stream/${feed}.jpg`, '--output /run/picture.jpg');
      return this.#machine.run('head -c 2 /run/picture.jpg | od -An -tx1').trim() === 'ff d8';
    });
  }
}

function flipBit(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

const report = new Report();
const root = join(work, 'root');
try {
  makePackages();
  offer(before);
  unpackDebian(cache, 'amd64', root);
  await using machine = await Machine.start(root, [repository]);
  await checkAll(machine);
  report.end();
} finally {
  rmSync(work, { recursive: true, force: true });
}
