import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateStore } from '../config/state.ts';
import { PortAllocator, portsSection } from './port-allocator.ts';
import { inodeOf } from './udp-port-holder.ts';

let folder = '';
const held: Socket[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ports-'));
});

afterEach(async () => {
  for (const socket of held.splice(0)) socket.close();
  await rm(folder, { recursive: true, force: true });
});

/** A book as the next process of this machine opens it. */
async function openBook(isOurs: (argv: readonly string[]) => boolean = () => false) {
  const state = new StateStore({ file: join(folder, 'state.json'), logger: pino({ level: 'silent' }) });
  await state.load();
  return { book: new PortAllocator(state, { isOurs }), udp: () => state.get(portsSection).udp };
}

async function take(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  await once(socket, 'listening');
  held.push(socket);
}

describe('Ports this machine chose', () => {
  it('stay with their user, are even, and lie outside the ephemeral range', async () => {
    const port = await (await openBook()).book.portOf('source cam0');
    expect(port % 2).toBe(0);
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
    const { book } = await openBook();
    expect(await book.portOf('source cam0')).toBe(port);
    expect(await book.portOf('source cam1')).not.toBe(port);
  });

  it('are released if another program has them, but not for a process of ours', async () => {
    const port = await (await openBook()).book.portOf('source cam0');
    await take(port);
    const argv: string[] = [];
    const ours = await openBook((holder) => argv.push(...holder) > 0);
    expect(await ours.book.portOf('source cam0')).toBe(port);
    expect(argv.join(' ')).toContain('node');
    const { book, udp } = await openBook();
    const other = await book.portOf('source cam0');
    expect(other).not.toBe(port);
    expect(udp()).toEqual({ 'source cam0': other });
    // Looked at once: from now on it is ours.
    await take(other);
    expect(await book.portOf('source cam0')).toBe(other);
  });

  it('are free again when their user is gone', async () => {
    const { book, udp } = await openBook();
    for (const user of ['webrtc', 'source cam0', 'source cam1']) await book.portOf(user);
    await book.keepOnly('source ', ['source cam1']);
    expect(Object.keys(udp())).toEqual(['webrtc', 'source cam1']);
  });
});

it('finds the socket of a port in the table', () => {
  const table = [
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    '  110: 0100007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 48213 2 0000000000000000 0',
    '  111: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   108        0 15201 2 0000000000000000 0',
  ].join('\n');
  expect(inodeOf(table, 20_000)).toBe('48213');
  expect(inodeOf(table, 5353)).toBe('15201');
  expect(inodeOf(table, 20_001)).toBeNull();
  expect(inodeOf('', 1)).toBeNull();
});
