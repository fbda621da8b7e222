import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decode, encode } from 'dns-packet';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runTool } from '../../lib/run-tool.ts';
import { waitFor } from '../../lib/wait.ts';
import { FatFiles } from '../firmware/disk-image.ts';
import { askLink } from './mdns-socket.ts';
import { MuxStorage } from './mux-storage.ts';
import { powerSwitch } from './power-switch.ts';
import { SerialConsole } from './serial-console.ts';

let folder = '';
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-board-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

describe('power', () => {
  /** Speaks as a Shelly Plus Plug S does (Gen2 RPC over HTTP); `stuck` is a relay that does not move. */
  async function shellyFake(stuck = false) {
    const calls: string[] = [];
    let output = false;
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://plug');
      calls.push(`${url.pathname}${url.search}`);
      if (url.pathname === '/rpc/Switch.Set' && !stuck) output = url.searchParams.get('on') === 'true';
      if (!url.pathname.startsWith('/rpc/Switch.')) response.statusCode = 404;
      response.end(
        JSON.stringify(url.pathname.endsWith('Set') ? { was_on: false } : { id: 0, output, source: 'HTTP' }),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      calls,
      host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () => server.close(),
    };
  }

  test('switches a Shelly plug and checks that it switched', async () => {
    const plug = await shellyFake();
    const power = powerSwitch({ kind: 'shelly', host: plug.host, channel: 1 });
    await power.on();
    await power.off();
    plug.close();
    expect(plug.calls).toEqual([
      '/rpc/Switch.Set?id=1&on=true',
      '/rpc/Switch.GetStatus?id=1',
      '/rpc/Switch.Set?id=1&on=false',
      '/rpc/Switch.GetStatus?id=1',
    ]);
  });

  test('reports a stuck relay', async () => {
    const plug = await shellyFake(true);
    await expect(powerSwitch({ kind: 'shelly', host: plug.host, channel: 0 }).on()).rejects.toMatchObject({
      code: 'RIG_TOOL',
    });
    plug.close();
  });

  test('publishes the configured payloads to an MQTT switch', async () => {
    const port = await freePort();
    const broker = spawn('mosquitto', ['-p', String(port)], { stdio: 'ignore' });
    children.push(broker);
    const url = `mqtt://127.0.0.1:${port}`;
    const listener = await waitFor(
      'the broker is up',
      () => connectAsync(url, { reconnectPeriod: 0 }, false),
      {
        timeoutMs: 20_000,
        pollMs: 100,
      },
    );
    const heard: string[] = [];
    listener.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString('utf8')}`));
    await listener.subscribeAsync('rig/board/set');
    const power = powerSwitch({ kind: 'mqtt', url, topic: 'rig/board/set', on: 'ON', off: 'OFF' });
    await power.on();
    await power.off();
    await waitFor('both words', () => heard.length === 2, { timeoutMs: 10_000, pollMs: 50 });
    await listener.endAsync();
    expect(heard).toEqual(['rig/board/set ON', 'rig/board/set OFF']);
  });

  test('runs a command and reports one that fails', async () => {
    const mark = join(folder, 'mark');
    await powerSwitch({ kind: 'command', on: ['touch', mark], off: ['true'] }).on();
    expect(await readFile(mark, 'utf8')).toBe('');
    const broken = powerSwitch({ kind: 'command', on: ['false'], off: ['true'] });
    await expect(broken.on()).rejects.toMatchObject({ code: 'RIG_TOOL' });
  });
});

test('reads and writes a serial console', async () => {
  // A pseudo terminal stands for the adapter; its other end answers each line.
  const board = spawn('python3', ['-c', ptyScript], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(board);
  const [device] = (await once(createInterface({ input: board.stdout }), 'line')) as [string];
  await using console = new SerialConsole(device, 115_200);
  await console.open();
  await console.log.write('hello\n');
  expect((await console.log.expect(/board says: (\w+)/, { timeoutMs: 20_000 }))[1]).toBe('hello');
});

test('writes a card behind a multiplexer while the rig holds it, then hands it back', async () => {
  const image = join(folder, 'image');
  const device = join(folder, 'card');
  await truncate(await touched(image), 40 * 1024 * 1024);
  await runTool(['sfdisk', '--quiet', image], { input: 'label: dos\nstart=2048, size=65536, type=c\n' });
  await runTool(['mkfs.vfat', '-F', '16', '--offset', '2048', image, '32768']);
  await truncate(await touched(device), 48 * 1024 * 1024);
  const log = join(folder, 'log');
  const mux = join(folder, 'mux');
  await writeFile(mux, `#!/bin/sh\necho "$1" >> ${log}\n`);
  await chmod(mux, 0o755);
  const storage = new MuxStorage({ image, mux: [mux], device, sshKey: 'ssh-ed25519 AAAA rig' });
  await storage.flash();
  await storage.writeCard('rushlight.toml', 'role = "hub"\n');
  expect(await storage.readCard('rushlight.toml')).toBe('role = "hub"\n');
  expect(await storage.readCard('nothing')).toBeNull();
  expect(await new FatFiles(device).readText(1, 'user-data')).toContain('AAAA rig');
  expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(Array(4).fill(['host', 'dut']).flat());
});

const ptyScript = `
import os, pty, tty
ours, theirs = pty.openpty()
tty.setraw(theirs)
print(os.ttyname(theirs), flush=True)
line = b''
while True:
    line += os.read(ours, 100)
    if b'\\n' in line:
        os.write(ours, b'board says: ' + line)
        line = b''
`;

async function touched(path: string): Promise<string> {
  await writeFile(path, '');
  return path;
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('asks a board over mDNS and accepts only the unicast answer', async () => {
  const question = { name: 'stage.local', type: 'A' } as const;
  const board = createSocket('udp4');
  const asked: (string | undefined)[] = [];
  board.on('message', (message, { port }) => {
    asked.push(decode(message).questions?.[0]?.name);
    const about = [{ ...question, data: '192.0.2.7' }];
    board.send(encode({ type: 'response', answers: about }), port, '127.0.0.1');
  });
  board.bind(0, '127.0.0.1');
  await once(board, 'listening');
  const to = { address: '127.0.0.1', port: board.address().port };
  expect(await askLink(question, 10_000, to)).toEqual([{ ...question, data: '192.0.2.7' }]);
  expect(await askLink({ ...question, name: 'other.local' }, 300, to)).toEqual([]);
  expect(new Set(asked)).toEqual(new Set(['stage.local', 'other.local']));
  board.close();
});
