import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { netnsObstacle, type TestHost, TestLan } from '../testing/netns.ts';
import type { FoundBroker } from './ports.ts';

const run = promisify(execFile);
const obstacle = await netnsObstacle();
const title = `looking for a broker with two networks${obstacle === null ? '' : ` (skipped: ${obstacle})`}`;

describe.skipIf(obstacle !== null)(title, { timeout: 60_000 }, () => {
  let lan: TestLan;
  let camera: TestHost;
  let broker: TestHost;

  /** Both have a first network to nobody; the broker is in the second, `eth0`. */
  beforeAll(async () => {
    lan = await new TestLan().open();
    camera = await lan.addHost('camera', '10.77.0.1/24');
    broker = await lan.addHost('broker', '10.77.0.2/24');
    for (const [host, address] of [
      [camera, '10.78.0.1/24'],
      [broker, '10.79.0.2/24'],
    ] as const) {
      const ip = (...args: string[]) => run('ip', ['-n', host.namespace, ...args]);
      await ip('link', 'add', 'aside0', 'type', 'veth', 'peer', 'name', 'aside1');
      await ip('address', 'add', address, 'dev', 'aside0');
      await ip('link', 'set', 'aside0', 'up');
      await ip('link', 'set', 'aside1', 'up');
    }
    const announcer = join(import.meta.dirname, 'broker-announcer.fake.ts');
    expect(await firstLine(broker.spawn(process.execPath, announcer, '10.77.0.2', 'attic'))).toBe(
      'announced',
    );
    // It announces itself after 1, 4, 13 and 40 s: in between only a query finds it.
    await sleep(15_000);
  });

  afterAll(async () => {
    await lan[Symbol.asyncDispose]();
  });

  test.each([
    ['without a default route', []],
    ['with the default route by the other network', ['via', '10.78.0.254', 'dev', 'aside0']],
    ['with the default route by its network', ['via', '10.77.0.254', 'dev', 'eth0']],
  ])('%s it is found, at the reachable address', async (_what, route) => {
    if (route.length > 0) await run('ip', ['-n', camera.namespace, 'route', 'replace', 'default', ...route]);
    const program = join(import.meta.dirname, 'broker-process.fake.ts');
    const found: FoundBroker[] = JSON.parse(await firstLine(camera.spawn(process.execPath, program)));
    expect(found).toEqual([{ name: 'attic', host: 'attic.local', url: 'mqtt://10.77.0.2:1883' }]);
  });
});

async function firstLine(child: ChildProcess): Promise<string> {
  let complaints = '';
  child.stderr?.on('data', (text) => {
    complaints += String(text);
  });
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`it said nothing: ${complaints}`);
}
