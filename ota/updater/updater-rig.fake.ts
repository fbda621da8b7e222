/** What the tests of the updater begin with. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { sealEnvelope } from '../channel/envelope.ts';
import { parseAutoboot } from '../selector/autoboot.ts';
import { FakeMachine } from './machine.fake.ts';
import type { Updater } from './updater.ts';

/** An error with this code. */
export const code = (expected: string) => expect.objectContaining({ code: expected });
/** An owner's plain request. */
export const asked = { force: false, allowDowngrade: false };

/** A machine that runs slot A, and a newer bundle on its disk. */
export async function machineWithBundle(): Promise<{ machine: FakeMachine; url: string }> {
  const machine = await FakeMachine.create();
  const url = machine.path('media/new.raucb');
  await writeFile(url, 'bundle');
  await machine.boot('A');
  await machine.until(() => machine.updater?.status().slots[0]?.state === 'good');
  return { machine, url };
}

/** The updater that runs on it. */
export const updaterOf = (machine: FakeMachine) => machine.updater as Updater;
/** What its `autoboot.txt` says. */
export const committed = async (machine: FakeMachine) =>
  parseAutoboot(await readFile(machine.path('config/autoboot.txt'), 'utf8'));
/** Waits until no update is at work. */
export const idle = (machine: FakeMachine) =>
  machine.until(() => ['idle', 'rolled-back'].includes(updaterOf(machine).status().state));

/** A channel of one release, signed with a key that the machine trusts from now on. */
export async function channelServer(machine: FakeMachine, version: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  await writeFile(machine.path('channel.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const bundle = { url: 'x.raucb', sha256: '0'.repeat(64), sizeBytes: 100 };
  const release = { version, compatible: 'board', ...bundle, notes: 'News.' };
  const channel = Buffer.from(
    JSON.stringify({ schema: 1, channel: 'stable', sequence: 3, releases: [release] }),
  );
  const text = sealEnvelope(channel, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  const server = createServer((request, response) => {
    if (request.url === '/stable.json') response.end(text);
    else response.writeHead(206, { 'content-range': 'bytes 0-3/100' }).end('abcd');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
