import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rushlight-bundle-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const mebi = 1024 * 1024;
/** Ends of the first boot partition, as layout.sh has it, in MiB. */
const bootEnd = 4 + 64 + 192;

test.each([
  ['virt-amd64', 'root.squashfs', 'disk.img', ['--arch', 'amd64'], 'rushlight-virt-amd64'],
  [
    'pi',
    '2026-11-22-rushlight.squashfs',
    '2026-11-22-rushlight.img',
    ['--flavour', 'pi'],
    'rushlight-raspberrypi-arm64',
  ],
])(
  'makes a bundle from the build: %s',
  { timeout: 300_000 },
  (folder, squashfs, disk, options, compatible) => {
    const out = join(root, 'out');
    const built = join(out, folder);
    const product = join(root, 'tree/usr/lib/rushlight');
    mkdirSync(built, { recursive: true });
    mkdirSync(product, { recursive: true });
    writeFileSync(join(product, 'package.json'), '{\n  "version": "1.2.3"\n}\n');
    // RAUC refuses to bundle almost nothing.
    writeFileSync(join(product, 'rest'), randomBytes(64 * 1024));
    execFileSync('mksquashfs', [join(root, 'tree'), join(built, squashfs), '-quiet', '-no-progress']);
    writeFileSync(join(built, disk), '');
    truncateSync(join(built, disk), bootEnd * mebi);
    const keys = join(root, 'keys');
    execFileSync(join(import.meta.dirname, '../ota/bundle/pki'), ['init', keys]);

    const env = { ...process.env, RUSHLIGHT_OUT: out, RUSHLIGHT_KEYS: keys, TMPDIR: root };
    execFileSync(join(import.meta.dirname, 'build'), ['bundle', ...options], { env, stdio: 'pipe' });
    const bundle = join(out, `${compatible}-1.2.3.raucb`);
    const info = execFileSync('rauc', ['info', '--no-verify', '--output-format=json', bundle], {
      stdio: 'pipe',
    });
    expect(JSON.parse(info.toString())).toMatchObject({ compatible, version: '1.2.3' });
  },
);
