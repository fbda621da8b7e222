import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { netnsObstacle, type TestHost, TestLan } from '../../testing/netns.ts';
import type { ClockReading } from './clock.ts';
import { type TimeRole, writeTimeRole } from './time-sources.ts';

const here = dirname(fileURLToPath(import.meta.url));
const unitScript = join(here, '../../../overlays/rootfs/usr/libexec/rushlight/time');

const imageConf = join(here, '../../../overlays/rootfs/etc/chrony/chrony.conf');

const obstacle = await whyNot();
if (obstacle !== null) process.stdout.write(`SKIPPED, chrony between two hosts: ${obstacle}\n`);

test.skipIf(obstacle !== null)(
  'a camera follows the clock of its hub, which serves without the internet, and of a hub that replaces it',
  { timeout: 120_000 },
  async () => {
    await using lan = await new TestLan().open();
    await using first = await Machine.open(await lan.addHost('first', '10.77.0.1/24'));
    await using second = await Machine.open(await lan.addHost('second', '10.77.0.2/24'));
    await using camera = await Machine.open(await lan.addHost('camera', '10.77.0.3/24'));
    await first.apply({ kind: 'serve' });
    await second.apply({ kind: 'serve' });
    await camera.apply({ kind: 'follow', server: null });
    // A hub alone serves time without a source; a camera serves none.
    expect(await first.read()).toMatchObject({ synced: false, offsetMs: null });

    await camera.apply({ kind: 'follow', server: '10.77.0.1' });
    const reading = await camera.until((clock) => clock?.source === '10.77.0.1');
    process.stdout.write(`follows its hub: ${JSON.stringify(reading)}\n`);
    expect(reading).toMatchObject({ synced: true });
    // Both have the clock of this machine.
    expect(Math.abs(reading.offsetMs ?? Number.NaN)).toBeLessThanOrEqual(reading.uncertaintyMs ?? 0);

    await camera.apply({ kind: 'follow', server: '10.77.0.2' });
    await camera.until((clock) => clock?.source === '10.77.0.2');
    await second.apply({ kind: 'follow', server: null });
  },
);

async function whyNot(): Promise<string | null> {
  const missing = await access('/usr/sbin/chronyd').then(
    () => null,
    () => 'chronyd is not installed (apt install chrony)',
  );
  return missing ?? (await netnsObstacle());
}

/** The image's configuration with its paths in a folder, and without what reaches out of it. */
function confBelow(folder: string, conf: string): string {
  const outside = /^(pool|sourcedir \/run\/chrony-dhcp|driftfile|ntsdumpdir|rtcsync|leapseclist)\b/;
  const lines = conf.split('\n').filter((line) => !outside.test(line));
  return [
    ...lines.map((line) => line.replace('/run/rushlight/chrony', `${folder}/chrony`)),
    `bindcmdaddress ${folder}/chronyd.sock`,
    `pidfile ${folder}/chronyd.pid`,
    '',
  ].join('\n');
}

/** chronyd with what the image configures, except that it leaves the clock alone (`-x`) and polls as fast as it can. */
class Machine implements AsyncDisposable {
  readonly #host: TestHost;
  readonly #folder: string;

  private constructor(host: TestHost, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  static async open(host: TestHost): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), 'chrony-'));
    const machine = new Machine(host, folder);
    await mkdir(join(folder, 'chrony'));
    await writeFile(join(folder, 'chrony.conf'), confBelow(folder, await readFile(imageConf, 'utf8')));
    const chronyd = host.spawn(
      '/usr/sbin/chronyd',
      '-x',
      '-d',
      '-u',
      'root',
      '-f',
      join(folder, 'chrony.conf'),
    );
    let said = '';
    chronyd.stderr?.on('data', (chunk) => {
      said += String(chunk);
    });
    for (let tries = 0; (await machine.read()) === null; tries += 1) {
      if (tries > 60) throw new Error(`chronyd does not answer: ${said}`);
      await sleep(100);
    }
    return machine;
  }

  /** What the supervisor writes, and what the system's unit then does. */
  async apply(role: TimeRole): Promise<void> {
    await writeTimeRole(this.#folder, role);
    const socket = join(this.#folder, 'chronyd.sock');
    await this.#run('env', `RUSHLIGHT_RUN=${this.#folder}`, 'sh', unitScript, '-h', socket);
  }

  async read(): Promise<ClockReading | null> {
    return JSON.parse(await this.#run(process.execPath, join(here, 'read-clock.fake.ts')));
  }

  async until(condition: (clock: ClockReading | null) => boolean): Promise<ClockReading> {
    for (;;) {
      const clock = await this.read();
      if (clock !== null && condition(clock)) return clock;
      await sleep(250);
    }
  }

  async #run(program: string, ...args: readonly string[]): Promise<string> {
    const child = this.#host.spawn(program, ...args);
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
