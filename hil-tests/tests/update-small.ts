import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BootFirmware } from '../drivers/firmware/firmware.ts';
import { runTool } from '../lib/run-tool.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { BundleServer } from '../update/bundle-server.ts';
import { BundleKitchen } from '../update/bundles.ts';
import { type SmallRelease, SmallSystem } from '../update/small-system.ts';
import { UpdateGuest } from '../update/update-guest.ts';
import { wrongWith } from '../update/verdict.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
/** Folder of an earlier build, to update from; without it the update goes to a copy of the image with one changed file. */
const earlier = process.env.RUSHLIGHT_EARLIER_IMAGE ?? null;
const startTimeoutMs = 900_000;

/** Updates of the small system that need no product: only RAUC, the network and the clock matter. */
export const updateSmallTests: readonly TestCase[] = [
  {
    name: 'update: a good bundle is taken in 1970 and in 2099, a bad one never',
    selection: 'long',
    needs: 'off',
    timeoutMs: 300_000,
    run: (context) => withSystem((system, folder) => anyClock(system, folder, context)),
  },
  {
    name: 'update: only what changed travels',
    selection: 'long',
    needs: 'off',
    timeoutMs: 300_000,
    run: (context) => withSystem((system, folder) => smallChange(system, folder, context)),
  },
];

async function withSystem(task: (system: SmallSystem, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-small-'));
  try {
    const system = new SmallSystem(dirname(image), folder);
    await system.prepare();
    await mkdir(join(folder, 'machine'));
    await task(system, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A machine in slot A that is offered one bundle: returns its output until it was about to restart, or gave up. */
class OneInstallation {
  readonly server: BundleServer;
  readonly #guest: UpdateGuest;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  bundle = '';

  constructor(guest: UpdateGuest, folder: string, signal: AbortSignal) {
    this.#guest = guest;
    this.#folder = folder;
    this.#signal = signal;
    this.server = new BundleServer(() => this.bundle);
  }

  async run(port: number, words: string): Promise<string[]> {
    let cutPower = () => {};
    const { lines } = await this.#guest.start(
      new BootFirmware(this.#guest.disk, this.#folder),
      `http://10.0.2.2:${port}`,
      {
        onStart: (cut) => {
          cutPower = cut;
        },
        onLine: (line) => {
          if (/^guest: (armed|cannot go on)/.test(line)) cutPower();
        },
        signal: this.#signal,
        timeoutMs: startTimeoutMs,
      },
      words,
    );
    return lines;
  }
}

async function anyClock(system: SmallSystem, folder: string, context: TestContext): Promise<void> {
  const { note, signal } = context;
  const first = await system.release('1.0.1');
  const next = await system.release('1.0.2');
  const guest = new UpdateGuest(join(folder, 'machine'));
  const one = new OneInstallation(guest, join(folder, 'machine'), signal);
  await using server = one.server;
  const port = await server.listen();
  for (const clock of ['1970-01-02', '2099-06-01']) {
    await guest.flash(first);
    one.bundle = next.bundle;
    const lines = await one.run(port, `rig.clock=${clock}`);
    assert.ok(lines.includes(`guest: clock ${clock.slice(0, 4)}`), lines.slice(-5).join('\n'));
    assert.ok(lines.includes('guest: armed'), lines.slice(-12).join('\n'));
    assert.ok(await guest.rootMatches('B', next), 'slot B holds the new root');
    note(`installed with the clock at ${clock}`);
  }
  for (const [name, path, words] of await badBundles(system, folder, next)) {
    await guest.flash(first);
    one.bundle = path;
    const lines = await one.run(port, '');
    const said = lines.filter((line) => words.test(line)).at(-1);
    assert.ok(
      said !== undefined && !lines.includes('guest: armed'),
      `${name}: ${lines.slice(-12).join('\n')}`,
    );
    note(`${name}: ${said.replace(/^.*?: /, '').slice(0, 200)}`);
    const found = await guest.selector();
    assert.equal(wrongWith(found), null, name);
    assert.match(found.state ?? '', /^pending=$/m, name);
    assert.ok((await guest.rootMatches('A', first)) && (await guest.bootMatches('A', first)), name);
  }
}

/** Name, file, and what RAUC says of it. */
async function badBundles(
  system: SmallSystem,
  folder: string,
  good: SmallRelease,
): Promise<readonly (readonly [string, string, RegExp])[]> {
  const large = join(folder, 'large.img');
  await writeFile(large, randomBytes(1024 * 1024));
  await truncate(large, 32 * 1024 * 1024);
  const flipped = join(folder, 'flipped.raucb');
  // Across the payload, which the hash tree covers but the signature does not: blocks that the slot has are not fetched.
  const bytes = await readFile(good.bundle);
  for (let at = 200_000; at < bytes.length - 200_000; at += 100_000) bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(flipped, bytes);
  const cut = join(folder, 'cut.raucb');
  await runTool(['cp', good.bundle, cut]);
  await truncate(cut, Math.floor((await stat(good.bundle)).size * 0.9));
  return [
    ['a root larger than its slot', await system.bundle('1.0.9', large, good.boot), /does not fit|too small/],
    ['bits of the payload flipped', flipped, /[Ii]nput\/output error|corrupt|Failed to/],
    ['cut short', cut, /[Ss]ignature size|exceeds|too small/],
  ];
}

/**
 * The image's own root in the slot that is to be written, another build in the bundle: counts the transferred bytes. The slots
 * and images have the product's real size.
 */
async function smallChange(system: SmallSystem, folder: string, context: TestContext): Promise<void> {
  const { note, signal } = context;
  const first = await system.release('1.0.1');
  await using kitchen = new BundleKitchen(dirname(image));
  const [before, after] =
    earlier === null
      ? [
          join(dirname(image), 'root.squashfs'),
          await kitchen.root('0.2.0', 'echo >> usr/lib/rushlight/supervisor/main.ts'),
        ]
      : [join(earlier, 'root.squashfs'), join(dirname(image), 'root.squashfs')];
  const guest = new UpdateGuest(join(folder, 'machine'), 240);
  await guest.flash(first);
  await guest.put(before, 'rootB');
  const one = new OneInstallation(guest, join(folder, 'machine'), signal);
  one.bundle = await system.bundle('1.0.2', after, first.boot);
  await using server = one.server;
  const port = await server.listen();
  const startedAt = Date.now();
  const lines = await one.run(port, '');
  assert.ok(lines.includes('guest: armed'), lines.slice(-12).join('\n'));
  assert.ok(await guest.rootMatches('B', { ...first, root: after }), 'slot B holds the new root');
  const { size } = await stat(one.bundle);
  const share = ((server.sentBytes / size) * 100).toFixed(1);
  note(`${server.sentBytes} of ${size} bytes travelled (${share} %) in ${server.requests} requests`);
  note(
    `${((Date.now() - startedAt) / 1000).toFixed(0)} s from power on to armed, hashing both slots included`,
  );
  assert.ok(server.sentBytes < size / 2);
}
