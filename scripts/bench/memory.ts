/**
 * What the appliance's processes take of memory: `node scripts/bench/memory.ts [--role hub|camera] [--settle 15]`.
 * Each is measured idle and with a feed, beside a bare Node process of the same run: figures of different machines or
 * moments do not compare. PSS counts what processes share once; ffmpeg is left out.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  type ApplianceProcess,
  freePort,
  freeUdpPort,
  processesNaming,
  startAppliance,
} from '../testing/appliance-process.ts';

const { values } = parseArgs({
  options: { role: { type: 'string', default: 'hub' }, settle: { type: 'string', default: '15' } },
});
const settleMs = Number(values.settle) * 1000;

interface Memory {
  readonly name: string;
  readonly rssKb: number;
  readonly pssKb: number;
}

async function memoryOf(name: string, pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { name, rssKb: field('Rss'), pssKb: field('Pss') };
}

/** What every Node process costs, whatever it does. */
async function measureBare(): Promise<Memory> {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' });
  await sleep(2000);
  const memory = await memoryOf('bare Node process', child.pid ?? 0);
  child.kill();
  return memory;
}

async function measure(appliance: ApplianceProcess): Promise<Memory[]> {
  await sleep(settleMs);
  const found: Memory[] = [];
  for (const { pid, command } of await processesNaming(appliance.data)) {
    const known = nameOf(command);
    if (known !== null) found.push(await memoryOf(known, pid));
  }
  return found.toSorted((a, b) => b.rssKb - a.rssKb);
}

/** Null for what does not count. */
function nameOf(command: string): string | null {
  if (command.includes('supervisor/main.ts')) return 'supervisor';
  if (command.includes('media/main.ts')) return 'media process';
  const [program = ''] = command.split(' ');
  return program === '' || program.endsWith('ffmpeg') || program === 'bash' ? null : program;
}

function show(title: string, list: readonly Memory[]): void {
  const mib = (kb: number) => `${(kb / 1024).toFixed(1).padStart(7)} MiB`;
  const line = ({ name, rssKb, pssKb }: Memory) =>
    `  ${name.padEnd(20)} RSS ${mib(rssKb)}  PSS ${mib(pssKb)}\n`;
  const sum = (key: 'rssKb' | 'pssKb') => list.reduce((total, one) => total + one[key], 0);
  const total = { name: 'all', rssKb: sum('rssKb'), pssKb: sum('pssKb') };
  process.stdout.write(`${title}\n${[...list, ...(list.length > 1 ? [total] : [])].map(line).join('')}`);
}

async function settings(): Promise<string> {
  const [port, tlsPort, udpPort] = [await freePort(), await freePort(), await freeUdpPort()];
  return `role = "${values.role}"
name = "bench"
[http]
listen = ["127.0.0.1"]
port = ${port}
tls_port = ${tlsPort}
[media]
udp_port = ${udpPort}
[devices]
adopt = "never"
`;
}

const source = '[[source]]\nid = "cam0"\nkind = "test"\nwidth = 1280\nheight = 720\nfps = 30\n';

show('baseline', [await measureBare()]);
const text = await settings();
const cache = await mkdtemp(join(tmpdir(), 'rushlight-cache-'));
/** As the image's unit does, and with V8's cache of an earlier start. */
const start = async () => {
  const appliance = await startAppliance({
    config: text,
    command: [process.execPath, '--max-semi-space-size=2', 'supervisor/main.ts'],
    env: { NODE_COMPILE_CACHE: cache, NODE_ENV: 'production' },
  });
  await appliance.until('it answers', async () => (await fetch(`${appliance.url}/healthz`)).ok);
  return appliance;
};
const first = await start();
await sleep(3000);
await first[Symbol.asyncDispose]();
await using appliance = await start();
show('idle', await measure(appliance));
await writeFile(appliance.configFile, text + source);
const token = (await readFile(`${appliance.data}/owner-token`, 'utf8')).trim();
await appliance.until('the feed is there', async () => {
  const answer = await fetch(`${appliance.url}/api/feeds`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).some(({ state }: { state: string }) => state === 'online');
});
show('with a feed', await measure(appliance));
await rm(cache, { recursive: true });
