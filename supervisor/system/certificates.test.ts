import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../config/schema.ts';
import { Certificates } from './certificates.ts';
import { createTlsIdentity, readTlsIdentity, type TlsIdentity } from './tls-identity.ts';

let folder = '';
let stranger: TlsIdentity;
const http = {} as Config['http'];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-tls-'));
  stranger = await createTlsIdentity('stranger', new Date());
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function open() {
  const paths = { tlsCert: join(folder, 'tls-cert.pem'), tlsKey: join(folder, 'tls-key.pem') };
  const configFile = join(folder, 'rushlight.toml');
  return { paths, certificates: new Certificates({ configFile, paths, log: pino({ level: 'silent' }) }) };
}

/** Turns one bit in the middle of what the PEM text encodes. */
function flipped(pem: string): string {
  const lines = pem.split('\n');
  const body = lines.findIndex((line) => line.startsWith('-----END')) - 2;
  const bytes = Buffer.from(lines[body] ?? '', 'base64');
  bytes[12] = (bytes[12] ?? 0) ^ 4;
  lines[body] = bytes.toString('base64');
  return lines.join('\n');
}

const damages: [string, (pem: string) => string][] = [
  ['empty', () => ''],
  ['cut in half', (pem) => pem.slice(0, pem.length / 2)],
  ['nothing but NULs', (pem) => '\0'.repeat(pem.length)],
  ['a flipped bit', flipped],
];

const files = ['tls-cert.pem', 'tls-key.pem'] as const;
const cases = [
  ...damages.flatMap(([what, damage]) => files.map((file) => ({ what, file, damage }))),
  { what: 'of another identity', file: 'tls-key.pem', damage: () => stranger.keyPem },
  { what: 'of another identity', file: 'tls-cert.pem', damage: () => stranger.certPem },
];

describe('the self-made certificate of this appliance', () => {
  test('stays the same across starts, without a message', async () => {
    const first = await open().certificates.find(http, 'stage');
    const second = await open().certificates.find(http, 'stage');
    expect(first.problems).toEqual([]);
    expect(second).toEqual(first);
  });

  test.each(cases)('$file: $what: is set aside, and a new one is served', async ({ file, damage }) => {
    const { paths, certificates } = open();
    const before = await certificates.find(http, 'stage');
    await writeFile(join(folder, file), damage(await readFile(join(folder, file), 'utf8')));
    const after = await open().certificates.find(http, 'stage');
    expect(after.identity.fingerprint).not.toBe(before.identity.fingerprint);
    expect(after.problems.join()).toContain('damaged');
    createSecureContext({ cert: after.identity.certPem, key: after.identity.keyPem });
    expect(await readdir(folder)).toContain(`${file}.broken`);
    expect(await readTlsIdentity(paths.tlsCert, paths.tlsKey)).toEqual(after.identity);
  });

  test('is served even if it cannot be stored, and stays the same until the next start', async () => {
    const file = join(folder, 'no-folder');
    await writeFile(file, '');
    const paths = { tlsCert: join(file, 'cert.pem'), tlsKey: join(file, 'key.pem') };
    const certificates = new Certificates({ configFile: 'x', paths, log: pino({ level: 'silent' }) });
    const first = await certificates.find(http, 'stage');
    expect(first.problems.join()).toContain('cannot be kept');
    expect((await certificates.find(http, 'stage')).identity).toEqual(first.identity);
  });
});

describe("the owner's own certificate", () => {
  const own = { certFile: 'own-cert.pem', keyFile: 'own-key.pem' } as Config['http'];

  async function write(identity: TlsIdentity) {
    await writeFile(join(folder, 'own-cert.pem'), identity.certPem);
    await writeFile(join(folder, 'own-key.pem'), identity.keyPem);
  }

  test('is served', async () => {
    await write(stranger);
    const { identity, problems } = await open().certificates.find(own, 'stage');
    expect([identity.fingerprint, problems]).toEqual([stranger.fingerprint, []]);
  });

  // Its signature is somebody else's: whether that is right is for browsers to say.
  const ownCases = damages
    .flatMap(([what, damage]) => ['own-cert.pem', 'own-key.pem'].map((file) => ({ what, file, damage })))
    .filter(({ what, file }) => what !== 'a flipped bit' || file === 'own-key.pem');

  test.each(ownCases)(
    '$file: $what: is replaced by the self-made one until the files are right',
    async ({ file, damage }) => {
      await write(stranger);
      const good = await readFile(join(folder, file), 'utf8');
      await writeFile(join(folder, file), damage(good));
      const { certificates } = open();
      const { identity, problems } = await certificates.find(own, 'stage');
      expect(identity.fingerprint).not.toBe(stranger.fingerprint);
      expect(problems.join()).toContain(file);
      expect(await readFile(join(folder, file), 'utf8')).toBe(damage(good));
      await writeFile(join(folder, file), good);
      expect((await certificates.find(own, 'stage')).identity.fingerprint).toBe(stranger.fingerprint);
    },
  );

  test('that is missing, a device or of another key does not hang and is replaced', async () => {
    const { certificates } = open();
    expect((await certificates.find(own, 'stage')).problems.join()).toContain('ENOENT');
    await write({ ...stranger, keyPem: (await createTlsIdentity('other', new Date())).keyPem });
    expect((await certificates.find(own, 'stage')).problems.join()).toContain(
      'does not belong to the certificate',
    );
    const zeros = { certFile: '/dev/zero', keyFile: 'own-key.pem' } as Config['http'];
    expect((await certificates.find(zeros, 'stage')).problems.join()).toContain('not a file');
  });
});
