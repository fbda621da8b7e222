import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainChildHost } from '../child-host.fake.ts';
import { installActivity } from './activity.ts';
import { preflight } from './preflight.ts';
import { parseProgress, Rauc } from './rauc.ts';
import { raucError } from './rauc-errors.ts';

let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rauc-'));
});
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
  await rm(folder, { recursive: true, force: true });
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const never = new AbortController().signal;
const still = async () => 0;

/** A program in RAUC's place that writes what is given. */
async function program(body: string): Promise<string> {
  const path = join(folder, `rauc-${Math.random().toString(36).slice(2)}`);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

it('inspecting a bundle waits for a running inspection, as two children cannot share a name', async () => {
  const path = await program(
    `sleep 0.3; echo '{"compatible":"board","version":"1.0.0","description":null,"images":[]}'`,
  );
  const rauc = new Rauc(plainChildHost(), path);
  const first = rauc.inspect('one');
  // Not at once: the other one comes while it runs.
  await sleep(50);
  const found = await Promise.all([first, rauc.inspect('two'), rauc.inspect('three')]);
  expect(found.map(({ version }) => version)).toEqual(['1.0.0', '1.0.0', '1.0.0']);
});

it('confirming a boot waits for a running installation, during which RAUC refuses it', async () => {
  const busy = join(folder, 'busy');
  const path = await program(
    `case "$1" in
      install) touch ${busy}; sleep 0.3; rm ${busy} ;;
      status) if [ -e ${busy} ]; then echo "Already processing a different method" >&2; exit 1; fi ;;
    esac`,
  );
  const rauc = new Rauc(plainChildHost(), path);
  const options = { stallMs: 10_000, activity: still, signal: never, onProgress: () => {} };
  const installed = rauc.install('x.raucb', options);
  await sleep(100);
  await rauc.markGood();
  await installed;
});

describe("RAUC's failures", () => {
  // Recorded from RAUC 1.8 and its sources up to 1.13.
  it.each([
    [
      'signature verification failed: Verify error: unable to get local issuer certificate',
      'BUNDLE_WRONG_KEY',
    ],
    ['signature verification failed: Verify error: certificate has expired', 'BUNDLE_SIGNER_EXPIRED'],
    ['signature verification failed: Verify error: certificate revoked', 'BUNDLE_SIGNER_REVOKED'],
    ['Invalid bundle format: Signature size (15324051829882634421) exceeds bundle size', 'BUNDLE_TRUNCATED'],
    ['Failed to extract bundle: bundle payload is corrupted', 'BUNDLE_CORRUPT'],
    [
      "LastError: Installation error: Compatible mismatch: Expected 'rushlight-virt-amd64' but bundle manifest has 'other'",
      'BUNDLE_WRONG_BOARD',
    ],
    [
      'LastError: Installation error: Pre-install handler error: Child process exited with code 10',
      'BUNDLE_OLDER',
    ],
    ['LastError: Pre-install handler error: Child process exited with code 11', 'BUNDLE_NEEDS_STEP'],
    [
      'LastError: Failed to stream bundle http://x/y: failed to configure streaming: range requests not supported by server',
      'DOWNLOAD_NO_RANGE',
    ],
    [
      'LastError: Failed to stream bundle http://x/y: failed to configure streaming: server not responding',
      'DOWNLOAD_FAILED',
    ],
    [
      'LastError: Installation error: Failed updating slot rootfs.1: Failed to write: No space left on device',
      'DISK_FULL',
    ],
    [
      'LastError: Installation error: Failed updating slot rootfs.1: Size of image (41943040) does not fit to slot size 25165824',
      'DISK_FULL',
    ],
    ['LastError: Slot (25165824 bytes) is too small for image (41943040 bytes).', 'DISK_FULL'],
    ["Invalid bundle format: Bundle format 'plain' not allowed", 'BUNDLE_FORMAT'],
    ['No such file: /media/stick/x.raucb', 'BUNDLE_NOT_FOUND'],
    [
      'LastError: Failed mounting bundle: Failed to open /dev/mapper/control: No such file or directory',
      'INSTALL_FAILED',
    ],
    ['something nobody has seen before', 'INSTALL_FAILED'],
  ])('%s → %s', (line, expected) => {
    const lines = ['  0% Installing', '  0% Checking bundle', line, 'Installing `/x.raucb` failed'];
    expect(raucError(lines)).toMatchObject({ code: expected });
  });

  // Recorded from RAUC 1.13 on a machine whose slots it has not written yet: the second line is always there.
  it('are not mistaken for a missing bundle because no slot has a status yet', () => {
    const before = [
      'rauc-Message: 23:21:12.291: Using system config file /etc/rauc/system.conf',
      'rauc-Message: 23:21:12.291: Failed to load system status: No such file or directory',
    ];
    const missing =
      "Failed to initialize context: System info handler script/binary '/usr/libexec/rushlight/rauc-system-info' not found.";
    expect(raucError([...before, missing]).code).toBe('INSTALL_FAILED');
    expect(raucError([...before, 'LastError: something odd']).message).toContain('something odd');
  });

  it('keep the last line as the cause', () => {
    const error = raucError(['a', 'b', 'something odd']);
    expect(error.message).toContain('something odd');
    expect((error.cause as Error).message).toBe('a\nb\nsomething odd');
    expect(raucError([]).code).toBe('INSTALL_FAILED');
  });
});

describe('installing', () => {
  it('reports progress', async () => {
    const rauc = new Rauc(
      plainChildHost(),
      await program(
        'echo "  0% Installing"; echo " 40% Checking bundle done."; echo "100% Installing done."',
      ),
    );
    const seen: number[] = [];
    await rauc.install('/x.raucb', {
      stallMs: 60_000,
      activity: still,
      signal: never,
      onProgress: ({ percent }) => seen.push(percent),
    });
    expect(seen).toEqual([0, 40, 100]);
    expect(parseProgress(' 40% Checking bundle done.')).toEqual({
      percent: 40,
      step: 'Checking bundle done.',
    });
    expect(parseProgress('idle')).toBeNull();
  });

  it('gives up on a hanging download and stops the service behind it', async () => {
    const log = join(folder, 'stopped');
    await writeFile(join(folder, 'systemctl'), `#!/bin/sh\necho "$@" > ${log}\n`, { mode: 0o755 });
    const children = plainChildHost({ PATH: `${folder}:${process.env.PATH}` });
    const rauc = new Rauc(children, await program('echo "  0% Installing"; exec sleep 600'));
    await expect(
      rauc.install('http://x/y', { stallMs: 200, activity: still, signal: never, onProgress: () => {} }),
    ).rejects.toThrow(code('DOWNLOAD_STALLED'));
    expect(await readFile(log, 'utf8')).toBe('stop rauc.service\n');
  });

  it('continues without progress messages as long as data moves', async () => {
    let sectors = 0;
    const rauc = new Rauc(plainChildHost(), await program('sleep 1; echo "100% Installing done."'));
    const activity = async () => (sectors += 100_000);
    const seen: number[] = [];
    const onProgress = ({ percent }: { percent: number }) => void seen.push(percent);
    await rauc.install('/x.raucb', { stallMs: 200, activity, signal: never, onProgress });
    expect(seen).toEqual([100]);
  });

  it('counts what the slots and the streamed bundle read and write', async () => {
    const block = join(folder, 'block');
    const links = join(folder, 'links');
    for (const [name, stat] of [
      ['nbd0', '10 0 80 5 0 0 0 0 0 0 0'],
      ['vda6', '1 0 8 0 20 0 1600 0 0 0 0'],
      ['vda7', '1 0 999999 0 20 0 999999 0 0 0 0'],
    ] as const) {
      await mkdir(join(block, name), { recursive: true });
      await writeFile(join(block, name, 'stat'), `   ${stat}\n`);
    }
    await mkdir(links);
    await writeFile(join(folder, 'vda6'), '');
    await symlink(join(folder, 'vda6'), join(links, '52534c54-06'));
    expect(await installActivity(block, links)).toBe(80 + 8 + 1600);
    expect(await installActivity(join(folder, 'nowhere'), join(folder, 'nowhere'))).toBe(0);
  });

  it('reads versions from the status', async () => {
    // `rauc status --detailed --output-format=json` of RAUC 1.13, shortened.
    const json = {
      compatible: 'rushlight-virt-amd64',
      booted: 'A',
      slots: [
        { 'rootfs.1': { class: 'rootfs', bootname: 'B', slot_status: { bundle: { version: '1.1.0' } } } },
        { 'boot.1': { class: 'boot', bootname: null, slot_status: {} } },
        { 'rootfs.0': { class: 'rootfs', bootname: 'A', slot_status: {} } },
      ],
    };
    const rauc = new Rauc(plainChildHost(), await program(`echo '${JSON.stringify(json)}'`));
    expect(await rauc.status()).toEqual({
      compatible: 'rushlight-virt-amd64',
      versions: { A: null, B: '1.1.0' },
    });
    const odd = new Rauc(plainChildHost(), await program('echo nonsense'));
    await expect(odd.status()).rejects.toThrow(code('INSTALL_FAILED'));
  });
});

describe('checking the server first', () => {
  async function server(listener: RequestListener): Promise<string> {
    const http = createServer(listener);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(resolve));
    });
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}/x.raucb`;
  }

  it('finds the length', async () => {
    const url = await server((_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-3/1000' }).end('abcd');
    });
    expect(await preflight(fetch, url, never)).toEqual({ sizeBytes: 1000 });
    await expect(preflight(fetch, url, never, { expectedBytes: 2000 })).rejects.toThrow(
      code('BUNDLE_TRUNCATED'),
    );
  });

  it('names what will not work', async () => {
    const whole = await server((_request, response) => response.end('x'.repeat(100_000)));
    await expect(preflight(fetch, whole, never)).rejects.toThrow(code('DOWNLOAD_NO_RANGE'));
    const missing = await server((_request, response) => response.writeHead(404).end());
    await expect(preflight(fetch, missing, never)).rejects.toThrow(code('BUNDLE_NOT_FOUND'));
    const broken = await server((_request, response) => response.writeHead(503).end());
    await expect(preflight(fetch, broken, never)).rejects.toThrow(code('DOWNLOAD_FAILED'));
    const silent = await server(() => {});
    await expect(preflight(fetch, silent, never, { timeoutMs: 200 })).rejects.toThrow(
      code('DOWNLOAD_STALLED'),
    );
    await expect(preflight(fetch, 'http://127.0.0.1:1/x', never)).rejects.toThrow(code('DOWNLOAD_FAILED'));
  });
});
