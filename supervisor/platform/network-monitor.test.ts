import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChildProcessHost } from '../process/child-process-host.ts';
import { isNetworkEvent, NetworkMonitor } from './network-monitor.ts';

const log = pino({ level: 'silent' });
const patient = { timeout: 20_000, interval: 10 };

async function watch(program: string, folder: string) {
  const host = new ChildProcessHost({ logger: log, folder: join(folder, 'children') });
  const stop = new AbortController();
  const monitor = new NetworkMonitor({ host, log, program });
  const told = vi.fn();
  const unsubscribe = monitor.subscribe(told);
  const running = monitor.run(stop.signal);
  return {
    told,
    unsubscribe,
    end: async () => {
      stop.abort();
      await running;
      await host[Symbol.asyncDispose]();
    },
  };
}

describe('NetworkMonitor', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rushlight-net-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('reports kernel events about links and addresses, and no others', async () => {
    const program = join(folder, 'ip');
    await writeFile(
      program,
      `#!/bin/sh
echo '192.0.2.1 dev eth0 lladdr 02:fc:00:00:00:05 REACHABLE'
while ! [ -e '${folder}/go' ]; do sleep 0.05; done
echo '2: eth0    inet 192.0.2.7/24 scope global eth0'
exec sleep 60
`,
    );
    await chmod(program, 0o755);
    const { told, end } = await watch(program, folder);
    // Once for what may have happened before it ran.
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1), patient);
    await writeFile(join(folder, 'go'), '');
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(2), patient);
    await end();
  });

  it('makes listeners poll if events are not available', async () => {
    const { told, unsubscribe, end } = await watch('/nonexistent/ip', folder);
    await vi.waitFor(() => expect(told.mock.calls.length).toBeGreaterThan(2), patient);
    unsubscribe();
    await end();
  });
});

it.each([
  ['2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default', true],
  ['Deleted 2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0', true],
  ['[LINK]3: wlan0: <NO-CARRIER> mtu 1500', true],
  ['192.0.2.1 dev eth0 lladdr 02:fc:00:00:00:05 REACHABLE', false],
  ['', false],
])('isNetworkEvent(%j) is %j', (line, is) => {
  expect(isNetworkEvent(line)).toBe(is);
});
