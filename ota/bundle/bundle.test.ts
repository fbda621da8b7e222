import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainChildHost } from '../child-host.fake.ts';
import { Rauc } from '../install/rauc.ts';

const here = import.meta.dirname;
const available = ['rauc', 'openssl', 'mksquashfs'].every((tool) => spawnSync('which', [tool]).status === 0);
const faketime = spawnSync('which', ['faketime']).status === 0;
const COMPATIBLE = 'rushlight-virt-amd64';
let root: string;
let keys: string;
let good: string;

const pki = (...args: string[]) => execFileSync(join(here, 'pki'), args, { stdio: 'pipe' });

/** A system's view: RAUC's settings as on the device, with a keyring of its own. */
async function machine(keyring: string, compatible = COMPATIBLE): Promise<Rauc> {
  const settings = await readFile(join(here, '../../overlays/rootfs/etc/rauc/system.conf'), 'utf8');
  const folder = await mkdtemp(join(root, 'machine-'));
  const conf = join(folder, 'system.conf');
  const own = settings
    .replace('@COMPATIBLE@', compatible)
    .replace('path=keyring.pem', `path=${keyring}`)
    // RAUC 1.13 looks for its handlers before anything else.
    .replaceAll('/usr/libexec', join(here, '../../overlays/rootfs/usr/libexec'))
    .replace('/var/lib/rauc', folder);
  await writeFile(conf, own);
  return new Rauc(plainChildHost(), 'rauc', [`--conf=${conf}`]);
}

function make(out: string, over: Record<string, string> = {}): string {
  const options = {
    root: join(root, 'root.img'),
    boot: join(root, 'boot.img'),
    compatible: COMPATIBLE,
    version: '1.2.0',
    minimum: '1.0.0',
    notes: join(root, 'notes.txt'),
    keys,
    out: join(root, out),
    ...over,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  execFileSync(join(here, 'make'), args, { stdio: 'pipe' });
  return options.out;
}

beforeAll(async () => {
  if (!available) return;
  root = await mkdtemp(join(tmpdir(), 'bundle-'));
  keys = join(root, 'keys');
  pki('init', keys);
  await writeFile(join(root, 'root.img'), randomBytes(1_000_000));
  await writeFile(join(root, 'boot.img'), randomBytes(204_800));
  await writeFile(join(root, 'notes.txt'), 'Sharper pictures.\n\nAnd more.\n');
  good = make('good.raucb');
}, 120_000);
afterAll(async () => {
  if (available) await rm(root, { recursive: true, force: true });
});

const code = (expected: string) => expect.objectContaining({ code: expected });

describe.skipIf(!available)('bundles, built and checked by the real RAUC', { timeout: 120_000 }, () => {
  it('carry version, board and release notes', async () => {
    const info = await (await machine(join(keys, 'keyring.pem'))).inspect(good);
    expect(info).toEqual({ compatible: COMPATIBLE, version: '1.2.0', description: 'Sharper pictures.' });
  });

  it.skipIf(!faketime)('verify at any clock time', () => {
    for (const time of ['@1970-01-02 00:00:00', '@2099-06-01 00:00:00']) {
      const conf = join(root, 'clock.conf');
      execFileSync('sh', ['-c', 'cat > "$1"', 'sh', conf], { input: systemConf(join(keys, 'keyring.pem')) });
      const args = ['-f', time, 'rauc', `--conf=${conf}`, 'info', '--output-format=json', good];
      const output = execFileSync('faketime', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
      expect(output).toContain('"version":"1.2.0"');
    }
  });

  it('are rejected if a stranger signed them', async () => {
    const others = join(root, 'others');
    pki('init', others);
    const foreign = make('foreign.raucb', { keys: others });
    await expect((await machine(join(keys, 'keyring.pem'))).inspect(foreign)).rejects.toThrow(
      code('BUNDLE_WRONG_KEY'),
    );
  });

  it.skipIf(!faketime)('are rejected if the signing time is outside the validity of the signer', async () => {
    pki('signer', keys, 'expired', '--start', '20200101000000Z', '--end', '20210101000000Z');
    // RAUC does not make such a bundle if it can check it: give it no keyring while it signs.
    const late = signUnchecked('expired', 'release-1', 'late.raucb');
    await expect((await machine(join(keys, 'keyring.pem'))).inspect(late)).rejects.toThrow(
      code('BUNDLE_SIGNER_EXPIRED'),
    );
  });

  it('are rejected if the signer was revoked; others of the same intermediate are accepted', async () => {
    const copy = await copyOfKeys('revoked-signer');
    pki('signer', copy, 'lost');
    const lost = make('lost.raucb', { keys: copy, signer: 'lost' });
    const before = await machine(join(copy, 'keyring.pem'));
    expect((await before.inspect(lost)).version).toBe('1.2.0');
    pki('revoke', copy, 'lost');
    const after = await machine(join(copy, 'keyring.pem'));
    await expect(after.inspect(lost)).rejects.toThrow(code('BUNDLE_SIGNER_REVOKED'));
    expect((await after.inspect(good)).version).toBe('1.2.0');
  });

  it('are rejected if their intermediate was revoked; the reserve takes over', async () => {
    const copy = await copyOfKeys('revoked-intermediate');
    pki('revoke', copy, 'release-1');
    pki('signer', copy, 'second', '--ca', 'release-2');
    const second = make('second.raucb', { keys: copy, signer: 'second' });
    const updated = await machine(join(copy, 'keyring.pem'));
    await expect(updated.inspect(good)).rejects.toThrow(code('BUNDLE_SIGNER_REVOKED'));
    expect((await updated.inspect(second)).version).toBe('1.2.0');
    // A machine that has not heard of the revocation yet takes the reserve's bundles, too.
    expect((await (await machine(join(keys, 'keyring.pem'))).inspect(second)).version).toBe('1.2.0');
  });

  it('move to a new root through a machine that trusts both', async () => {
    const next = join(root, 'next-root');
    pki('init', next);
    const signed = make('next-root.raucb', { keys: next });
    const both = join(root, 'both.pem');
    const rings = await Promise.all(
      [keys, next].map((folder) => readFile(join(folder, 'keyring.pem'), 'utf8')),
    );
    await writeFile(both, rings.join(''));
    const machineOfBoth = await machine(both);
    expect((await machineOfBoth.inspect(signed)).version).toBe('1.2.0');
    expect((await machineOfBoth.inspect(good)).version).toBe('1.2.0');
  });

  it('are rejected if truncated anywhere', async () => {
    const judge = await machine(join(keys, 'keyring.pem'));
    const { length } = await readFile(good);
    for (const share of [0.001, 0.3, 0.9, 0.999]) {
      const cut = join(root, 'cut.raucb');
      await cp(good, cut);
      await truncate(cut, Math.floor(length * share));
      await expect(judge.inspect(cut), `${share}`).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^BUNDLE_(TRUNCATED|FORMAT)$/) }),
      );
    }
  });

  it('are rejected if a bit of the signature flipped, and stop unpacking if one of the payload did', async () => {
    const judge = await machine(join(keys, 'keyring.pem'));
    const { length } = await readFile(good);
    const inSignature = await flipped(length - 900);
    await expect(judge.inspect(inSignature)).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^BUNDLE_(CORRUPT|WRONG_KEY|FORMAT)$/) }),
    );
    const inPayload = await flipped(5000);
    const conf = join(root, 'extract.conf');
    await writeFile(conf, systemConf(join(keys, 'keyring.pem')));
    const target = join(root, 'extracted');
    const run = spawnSync('rauc', [`--conf=${conf}`, 'extract', inPayload, target], { encoding: 'utf8' });
    expect(run.status).not.toBe(0);
    expect(run.stderr + run.stdout).toMatch(/corrupt|data area failed/i);
  });

  it('are rejected if they are something else', async () => {
    const text = join(root, 'text.raucb');
    await writeFile(text, 'not a bundle '.repeat(1000));
    await expect((await machine(join(keys, 'keyring.pem'))).inspect(text)).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^BUNDLE_/) }),
    );
    await expect(
      (await machine(join(keys, 'keyring.pem'))).inspect(join(root, 'nothing.raucb')),
    ).rejects.toThrow(code('BUNDLE_NOT_FOUND'));
  });

  it('may lack the block hash index, but neither of the two images', async () => {
    const judge = await machine(join(keys, 'keyring.pem'));
    expect((await judge.inspect(make('unindexed.raucb', { index: 'no' }))).version).toBe('1.2.0');
    expect(() => make('never.raucb', { root: '' })).toThrow();
    expect(() => make('never.raucb', { boot: '' })).toThrow();
  });

  it('cannot be built with a version that machines cannot compare', () => {
    expect(() => make('never.raucb', { version: 'v2' })).toThrow();
  });
});

function systemConf(keyring: string): string {
  return [
    '[system]',
    `compatible=${COMPATIBLE}`,
    'bootloader=noop',
    '[keyring]',
    `path=${keyring}`,
    'use-bundle-signing-time=true',
    'check-crl=true',
    'check-purpose=codesign',
    '',
  ].join('\n');
}

async function copyOfKeys(name: string): Promise<string> {
  const copy = join(root, name);
  await cp(keys, copy, { recursive: true });
  return copy;
}

async function flipped(at: number): Promise<string> {
  const path = join(root, `flipped-${at}.raucb`);
  await cp(good, path);
  await using file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await file.write(byte, 0, 1, at);
  return path;
}

function signUnchecked(signer: string, issuer: string, name: string): string {
  const content = join(root, `content-${name}`);
  const out = join(root, name);
  const manifest = `[update]\ncompatible=${COMPATIBLE}\nversion=1.2.0\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n`;
  execFileSync('sh', [
    '-c',
    'mkdir "$1" && cp "$2" "$1/root.img" && printf "%s" "$3" > "$1/manifest.raucm"',
    'sh',
    content,
    join(root, 'root.img'),
    manifest,
  ]);
  const key = (file: string) => join(keys, file);
  execFileSync(
    'rauc',
    [
      'bundle',
      `--cert=${key(`${signer}.crt.pem`)}`,
      `--key=${key(`${signer}.key.pem`)}`,
      `--intermediate=${key(`${issuer}.crt.pem`)}`,
      content,
      out,
    ],
    { stdio: 'pipe' },
  );
  return out;
}
