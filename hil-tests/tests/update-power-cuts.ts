import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BootFirmware } from '../drivers/firmware/firmware.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { BundleServer } from '../update/bundle-server.ts';
import { type SmallRelease, SmallSystem } from '../update/small-system.ts';
import { UpdateGuest } from '../update/update-guest.ts';
import { phases, UpdateWatch } from '../update/update-watch.ts';
import { committedSlot, upperBound, wrongWith } from '../update/verdict.ts';

const image =
  process.env.RUSHLIGHT_UPDATE_IMAGE ?? join(import.meta.dirname, '../../image/out/virt-amd64/disk.img');
const cuts = Number(process.env.RUSHLIGHT_UPDATE_CUTS ?? 10);
const startTimeoutMs = 900_000;

/** Tests of power cuts during real updates. */
export const updatePowerCutTests: readonly TestCase[] = [
  {
    name: `update: ${cuts} power cuts of whole updates`,
    selection: 'long',
    needs: 'off',
    timeoutMs: 60_000 * (cuts + 5),
    run: cutWholeUpdates,
  },
];

/** A ring of releases that differ from each other: A never gets the same content again. */
class Ring {
  readonly releases: readonly SmallRelease[];

  constructor(releases: readonly SmallRelease[]) {
    this.releases = releases;
  }

  after(version: string): SmallRelease | undefined {
    const index = this.releases.findIndex((release) => release.version === version);
    return index < 0 ? undefined : this.releases[(index + 1) % this.releases.length];
  }

  by(version: string): SmallRelease | undefined {
    return this.releases.find((release) => release.version === version);
  }
}

/**
 * One machine that updates itself again and again, streaming real bundles; its power is cut at random moments of every phase,
 * and unflushed writes are lost at random. Each time the committed slot has to be complete and to start.
 */
async function cutWholeUpdates(context: TestContext): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-update-cuts-'));
  try {
    const system = new SmallSystem(dirname(image), folder);
    await system.prepare();
    const releases = [];
    for (const version of ['1.0.1', '1.0.2', '1.0.3']) releases.push(await system.release(version));
    await new PowerCuts(new Ring(releases), join(folder, 'machine'), context).run();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class PowerCuts {
  readonly #ring: Ring;
  readonly #context: TestContext;
  readonly #folder: string;
  readonly #guest: UpdateGuest;
  readonly #watch = new UpdateWatch();
  readonly #count = new Map<string, number>();
  /** What each slot contains, if it was committed. */
  readonly #holds: Record<'A' | 'B', string> = { A: '1.0.1', B: '1.0.1' };
  #committed: 'A' | 'B' = 'A';
  #updates = 0;
  #lost = 0;

  constructor(ring: Ring, folder: string, context: TestContext) {
    this.#ring = ring;
    this.#folder = folder;
    this.#context = context;
    this.#guest = new UpdateGuest(folder);
  }

  async run(): Promise<void> {
    const { note, random, signal } = this.#context;
    await using server = new BundleServer((path) => {
      const version = /^\/after-(.+)\.raucb$/.exec(path)?.[1];
      return version === undefined ? null : (this.#ring.after(version)?.bundle ?? null);
    });
    const bundles = `http://10.0.2.2:${await server.listen()}`;
    await mkdir(this.#folder);
    const first = this.#ring.releases[0];
    assert.ok(first !== undefined);
    await this.#guest.flash(first);
    const firmware = new BootFirmware(this.#guest.disk, this.#folder);
    // Two updates without a cut teach how long each phase takes.
    while (this.#updates < 2) await this.#start(firmware, bundles, null);
    note(`phases without a cut: ${this.#watch.describe()}`);
    for (let cut = 0; cut < cuts; cut++) {
      signal.throwIfAborted();
      const phase = phases[cut % phases.length] ?? 'download';
      const wanted = { phase, share: random() };
      while (!(await this.#start(firmware, bundles, wanted))) signal.throwIfAborted();
      await this.#look(cut);
      if ((cut + 1) % 10 === 0) note(this.#summary(cut + 1));
    }
    note(this.#summary(cuts));
    note(
      `0 unbootable, 0 half-committed; failure rate below ${(upperBound(cuts) * 100).toFixed(2)} % (95 %)`,
    );
  }

  /** One start of the machine; true if its power was cut. */
  async #start(
    firmware: BootFirmware,
    bundles: string,
    wanted: { phase: (typeof phases)[number]; share: number } | null,
  ): Promise<boolean> {
    this.#watch.begin(wanted);
    const { lines, partition, tryboot } = await this.#guest.start(firmware, bundles, {
      timeoutMs: startTimeoutMs,
      signal: this.#context.signal,
      onStart: (cut) => this.#watch.power(cut),
      onLine: (line) => {
        if (line.startsWith('guest: committed')) this.#updates++;
        this.#watch.hear(line);
      },
    });
    this.#watch.off();
    const said = lines.slice(-12).join('\n');
    const slot = partition === 2 ? 'A' : 'B';
    // A start by the trial flag goes elsewhere than a plain one.
    assert.equal(slot, tryboot ? other(this.#committed) : this.#committed, said);
    const up = /^guest: up ([AB]) (\S+) (\w+)$/.exec(
      lines.find((line) => line.startsWith('guest: up')) ?? '',
    );
    if (this.#watch.cutPhase !== 'trial' || up !== null) {
      assert.equal(up?.[1], slot, `slot ${slot} did not come up:\n${said}`);
      assert.equal(up?.[3], this.#ring.by(up?.[2] ?? '')?.payloadSha256, said);
      if (!tryboot) assert.equal(up?.[2], this.#holds[slot], said);
      this.#holds[slot] = up?.[2] ?? '';
    }
    if (lines.includes(`guest: committed ${slot}`)) this.#committed = slot;
    const cut = this.#watch.cutPhase;
    if (cut === null) {
      assert.ok(!lines.some((line) => line.startsWith('guest: cannot go on')), said);
      firmware.noteRestart(lines.join('\n'));
      return false;
    }
    firmware.notePowerCut();
    this.#count.set(cut, (this.#count.get(cut) ?? 0) + 1);
    return true;
  }

  /** Loses unflushed writes, then checks the disk: the committed slot has to be complete. */
  async #look(cut: number): Promise<void> {
    const { random } = this.#context;
    // Everything, nothing, or any mixture of the unflushed writes.
    const share = [0, 0.5, 1][Math.floor(random() * 3)] ?? 0;
    this.#lost += (await this.#guest.loseUnflushed(() => random() < share)).lost;
    const found = await this.#guest.selector();
    const where = `after cut ${cut + 1}, in ${this.#watch.cutPhase}`;
    assert.equal(wrongWith(found), null, where);
    const slot = committedSlot(found);
    // Only a cut while it commits may leave either of the two.
    if (this.#watch.cutPhase !== 'commit') assert.equal(slot, this.#committed, where);
    this.#committed = slot;
    const release = this.#ring.by(this.#holds[slot]);
    assert.ok(release !== undefined, where);
    assert.ok(await this.#guest.rootMatches(slot, release), `the root of ${slot} is not whole, ${where}`);
    assert.ok(
      await this.#guest.bootMatches(slot, release),
      `the boot partition of ${slot} is not whole, ${where}`,
    );
  }

  #summary(done: number): string {
    const spread = phases.map((phase) => `${this.#count.get(phase) ?? 0} in ${phase}`).join(', ');
    return `${done} cuts (${spread}); ${this.#updates} updates got through; ${this.#lost} unflushed writes lost`;
  }
}

const other = (slot: 'A' | 'B'): 'A' | 'B' => (slot === 'A' ? 'B' : 'A');
