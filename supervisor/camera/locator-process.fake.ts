/**
 * A camera's or a hub's share of discovery as a program, for tests in network namespaces.
 * Prints each change of the located hub as a line of JSON; a line `fail <url>` on its input reports a failure.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { Advertiser } from '../discovery/advertiser.ts';
import { NetworkMonitor } from '../platform/network-monitor.ts';
import { ChildProcessHost } from '../process/child-process-host.ts';
import { HubLocator } from './hub-locator.ts';

const { values } = parseArgs({
  options: {
    advertise: { type: 'string' },
    id: { type: 'string', default: 'unset' },
    port: { type: 'string', default: '80' },
    tls: { type: 'string' },
    locate: { type: 'boolean', default: false },
    pinned: { type: 'string' },
    'pinned-tls': { type: 'string' },
    avahi: { type: 'string', default: '/nonexistent' },
    'service-file': { type: 'string', default: '/nonexistent' },
  },
});
const log = pino({ level: 'debug' }, pino.destination({ dest: 2, sync: true }));
const stop = new AbortController();
// Waiting for avahi alone would not keep a process alive.
const alive = setInterval(() => {}, 60_000);
process.once('SIGTERM', () => {
  clearInterval(alive);
  stop.abort();
});

const folder = await mkdtemp(join(tmpdir(), 'rushlight-locator-'));
await using host = new ChildProcessHost({ logger: log, folder });
const network = new NetworkMonitor({ host, log });
const tasks: Promise<void>[] = [network.run(stop.signal)];
if (values.advertise !== undefined) {
  const advertiser = new Advertiser({
    name: values.advertise,
    id: values.id,
    role: 'hub',
    version: '1.2.3',
    port: Number(values.port),
    tls: values.tls ?? null,
    network,
    log,
    avahi: { socket: values.avahi, serviceFile: values['service-file'] },
  });
  tasks.push(advertiser.run(stop.signal));
}
if (values.locate) {
  const pinned = { pinnedId: values.pinned ?? null, pinnedTls: values['pinned-tls'] ?? null };
  const locator = new HubLocator({ override: 'auto', ...pinned, network, log });
  locator.subscribe((hub) => process.stdout.write(`${JSON.stringify(hub)}\n`));
  const commands = createInterface({ input: process.stdin, signal: stop.signal });
  commands.on('line', (line) => {
    const [command, url] = line.split(' ');
    if (command === 'fail' && url !== undefined) locator.reportFailure(url);
  });
  tasks.push(locator.run(stop.signal));
}
await Promise.all(tasks);
await rm(folder, { recursive: true, force: true });
