/**
 * What fan-out and joins cost: `node media/bench/fan-out.ts [--viewers 20] [--seconds 10] [--rate 500]`.
 * Prints CPU per packet and viewer of a real media process beside the cost of sending the same bytes in plain, both
 * measured in this run; figures of different machines or moments do not compare.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { MediaClient } from '../control/media-client.ts';
import { createNodeDatapath } from '../datapath/node-datapath.ts';
import { openUdpSocket } from '../datapath/udp-socket.ts';
import { LightViewer } from './light-viewer.ts';
import { SyntheticSource } from './synthetic-source.ts';

const CLOCK_TICKS_PER_SECOND = 100;
const logger = pino({ level: 'warn' });
const { values } = parseArgs({
  options: {
    viewers: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '500' },
  },
});
const [viewers, seconds, rate] = [values.viewers, values.seconds, values.rate].map(Number) as [
  number,
  number,
  number,
];

/** CPU time of a process in microseconds (proc(5): utime and stime). */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / CLOCK_TICKS_PER_SECOND;
}

/** CPU per datagram of the same size sent in plain from this process, in microseconds. */
async function measureFloorUs(): Promise<number> {
  const ignore = { onDatagram: () => {}, onError: () => {} };
  const target = await openUdpSocket({ address: '127.0.0.1', port: 0, ...ignore });
  const source = await openUdpSocket({ address: '127.0.0.1', port: 0, ...ignore });
  const packet = Buffer.alloc(1216);
  const { port } = target.address();
  target.close();
  const count = 50_000;
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    source.send(packet, port, '127.0.0.1');
    if (i % 500 === 499) await new Promise(setImmediate);
  }
  const spent = process.cpuUsage(before);
  source.close();
  return (spent.user + spent.system) / count;
}

function percentile(samples: readonly number[], share: number): string {
  const sorted = samples.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}

const folder = await mkdtemp(join(tmpdir(), 'fan-out-'));
const socketPath = join(folder, 'media.sock');
const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const child = spawn(process.execPath, [main, '--socket', socketPath, '--log-level', 'warn'], {
  stdio: 'inherit',
});
const abort = new AbortController();
const client = new MediaClient({ socketPath, logger });
const running = client.run(abort.signal);
try {
  await once(client.events, 'connected');
  const rtp = await openUdpSocket({ address: '127.0.0.1', port: 0, onDatagram: () => {}, onError: () => {} });
  const rtpPort = rtp.address().port;
  rtp.close();
  await client.configure({
    udpPort: 0,
    listenAddresses: ['127.0.0.1'],
    ingests: [{ feed: 'bench', rtpPort, kind: 'h264' }],
    pushes: [],
  });
  const sender = await openUdpSocket({
    address: '127.0.0.1',
    port: 0,
    onDatagram: () => {},
    onError: () => {},
  });
  using source = new SyntheticSource(sender, rtpPort, rate);
  source.start();
  await sleep(1500);
  const idleBefore = await client.status();
  await using datapath = await createNodeDatapath({ logger });
  const clients: LightViewer[] = [];
  for (let i = 0; i < viewers; i++) {
    clients.push(await LightViewer.open(datapath, client, 'bench'));
    await sleep(50);
  }
  while (clients.some((viewer) => viewer.joinMs === null)) await sleep(50);
  await sleep(2000);
  const pid = child.pid ?? 0;
  const [packetsBefore, cpuBefore, outBefore] = [
    source.packets,
    cpuUs(pid),
    (await client.status()).datagramsOut,
  ];
  const receivedBefore = clients.map((viewer) => viewer.packets);
  await sleep(seconds * 1000);
  const status = await client.status();
  const cpu = cpuUs(pid) - cpuBefore;
  const sent = status.datagramsOut - outBefore;
  const received = clients.reduce((sum, viewer, i) => sum + viewer.packets - (receivedBefore[i] ?? 0), 0);
  const published = source.packets - packetsBefore;
  const joins = clients.map((viewer) => viewer.joinMs ?? Number.NaN);
  for (const viewer of clients) viewer[Symbol.dispose]();
  source[Symbol.dispose]();
  sender.close();
  const floor = await measureFloorUs();
  const perPacket = cpu / (published * viewers);
  process.stdout.write(
    [
      `viewers ${viewers}, packets a second ${(published / seconds).toFixed(0)}, sent ${sent}, received ${received}`,
      `CPU of the media process: ${(cpu / seconds / 1e4).toFixed(1)} % of a core`,
      `CPU per packet and viewer: ${perPacket.toFixed(1)} us; plain send from Node: ${floor.toFixed(1)} us; ratio ${(perPacket / floor).toFixed(1)}`,
      `join to first packet: p50 ${percentile(joins, 0.5)} ms, p95 ${percentile(joins, 0.95)} ms`,
      `memory: ${((status.rssBytes - idleBefore.rssBytes) / 1024 / viewers).toFixed(0)} KiB a viewer, ${(status.rssBytes / 2 ** 20).toFixed(0)} MiB in all`,
      '',
    ].join('\n'),
  );
} finally {
  abort.abort();
  await running;
  child.kill('SIGTERM');
  await rm(folder, { recursive: true, force: true });
}
