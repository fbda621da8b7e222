import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { damages, isNoDocument } from '../scripts/testing/damage.ts';
import { BlackBox } from './black-box.ts';
import { Rauc } from './install/rauc.ts';
import { BundleCache } from './rollout/bundle-cache.ts';
import { RolloutConductor } from './rollout/conductor.ts';
import { renderAutoboot } from './selector/autoboot.ts';
import { parseState, renderState } from './selector/state.ts';
import { UpdaterTarget } from './updater/hawkbit-link.ts';
import { Offers } from './updater/offers.ts';
import { readBaseline } from './updater/trial.ts';

const recorded = (name: string) =>
  readFileSync(join(import.meta.dirname, 'fixtures/release-0.1.0', name), 'utf8');
const logger = pino({ level: 'silent' });
const patience = { timeout: 120_000 };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'damage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const whole = (name: string) => {
  if (name !== 'hawkbit.json') return recorded(name);
  return JSON.stringify({ actionId: '7', version: '1.1.0', at: '2026-11-22T12:00:00.000Z' });
};

async function conductorOf() {
  const cache = new BundleCache({ folder, fetch, verify: async () => {}, logger });
  const fleet = { members: () => [], takeRunning: () => false, install: async () => {} };
  const conductor = new RolloutConductor({ fleet, cache, folder, logger, now: () => new Date() });
  const stop = new AbortController();
  const running = conductor.run(stop.signal);
  await vi.waitFor(() => expect(conductor.status().loaded).toBe(true), { timeout: 20_000 });
  const end = async () => {
    stop.abort();
    await running;
  };
  return { conductor, end };
}

/** Everybody who reads a file that is kept for updates; settles with whether it found something in it. */
const readers: Readonly<Record<string, () => Promise<boolean>>> = {
  'black-box.json': async () => {
    const box = new BlackBox(folder, logger);
    await box.load();
    const found = box.attempts.length > 0;
    await box.begin({ version: '2.0.0', fromVersion: '1.0.0', slot: 'B' });
    await box.close('failed', 'a test');
    const again = new BlackBox(folder, logger);
    await again.load();
    expect(again.attempts).toEqual(box.attempts);
    return found;
  },
  'rollout.json': async () => {
    const { conductor, end } = await conductorOf();
    const found = conductor.status().rollout !== null;
    if (found) await conductor.cancel();
    await end();
    return found;
  },
  'baseline.json': async () => (await readBaseline(folder, logger)) !== null,
  'channels.json': async () => {
    const children = { spawn: () => Promise.reject(new Error('no programs here')) };
    const paths = { channelKeys: join(folder, 'no keys'), offline: [] };
    const offers = new Offers({
      fetch,
      folder,
      logger,
      rauc: new Rauc(children),
      paths: paths as unknown as ConstructorParameters<typeof Offers>[0]['paths'],
    });
    const settings = { url: 'http://127.0.0.1:9', channel: 'stable' };
    const looking = offers.refreshChannel(
      settings as Parameters<Offers['refreshChannel']>[0],
      new AbortController().signal,
    );
    // Past what was kept, at the keys, which are not there.
    await expect(looking).rejects.toMatchObject({ code: 'ENOENT' });
    return true;
  },
  'hawkbit.json': async () => {
    const target = new UpdaterTarget({ folder, logger } as ConstructorParameters<typeof UpdaterTarget>[0]);
    await target.load();
    return true;
  },
};

describe('stored update data may be damaged in any way', () => {
  it.each(Object.keys(readers))('%s: sets it aside and keeps updating', patience, async (name) => {
    const file = join(folder, name);
    const aside = `${file}.broken`;
    const read = readers[name] ?? (async () => false);
    await fc.assert(
      fc.asyncProperty(damages(whole(name)), async (bytes) => {
        await rm(aside, { force: true });
        await writeFile(file, bytes);
        const found = await read();
        const isAside = (await readdir(folder)).includes(`${name}.broken`);
        if (isNoDocument(bytes)) expect(isAside).toBe(true);
        if (isAside) expect((await readFile(aside)).toString()).toBe(bytes.toString());
        // Either something of it was understood, or nothing is lost: it lies aside, or held nothing.
        const holdsNothing = () => JSON.parse(bytes.toString()).attempts.length === 0;
        expect(found || isAside || holdsNothing()).toBe(true);
      }),
      { numRuns: name === 'rollout.json' ? 60 : 120 },
    );
  });

  it.each(Object.keys(readers))('%s: also sets aside something that is not a file', async (name) => {
    await mkdir(join(folder, name, 'inside'), { recursive: true });
    await mkdir(join(folder, `${name}.broken`, 'inside'), { recursive: true });
    await readers[name]?.();
    const beside = (await readdir(folder)).filter((one) => one.startsWith(`${name}.broken`));
    expect(beside).toHaveLength(2);
  });
});

describe("the selector's state may be damaged in any way", () => {
  const script = join(import.meta.dirname, '../overlays/rootfs/usr/libexec/rushlight/selector');

  function select(shell: readonly [string, ...string[]], ...args: string[]) {
    const [program, ...options] = shell;
    const env = {
      PATH: process.env.PATH,
      SELECTOR_CONFIG_DIR: folder,
      SELECTOR_STATE_DIR: folder,
      SELECTOR_CMDLINE: join(folder, 'cmdline'),
    };
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(program, [...options, script, ...args], { env }, (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, stdout, stderr });
      });
    });
  }

  it.each([[['sh']], [['bash', '--posix']]] as const)(
    'by %j: boots, reports it and keeps the damaged file',
    patience,
    async (shell) => {
      const state = join(folder, 'state');
      await writeFile(join(folder, 'cmdline'), 'rauc.slot=A quiet\n');
      await fc.assert(
        fc.asyncProperty(damages(recorded('selector-state')), async (bytes) => {
          await rm(`${state}.broken`, { force: true });
          await writeFile(join(folder, 'autoboot.txt'), renderAutoboot('A'));
          await writeFile(state, bytes);
          const before = parseState(bytes.toString('latin1'));
          const isWhole = renderState(before) === bytes.toString('latin1').replaceAll('\0', '');
          const shown = await select([...shell] as [string], 'show');
          expect(shown.stdout).toContain(
            `\nboots=${before.boots}\na=${before.marks.A}\nb=${before.marks.B}\n`,
          );
          const { code, stderr } = await select([...shell] as [string], 'early');
          expect(code).toBe(0);
          const after = await readFile(state, 'latin1');
          expect(renderState(parseState(after))).toBe(after);
          expect(stderr.includes('damaged')).toBe(!isWhole);
          if (!isWhole) expect(await readFile(`${state}.broken`)).toEqual(bytes);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('also boots if something else is in its place', async () => {
    await writeFile(join(folder, 'cmdline'), 'rauc.slot=A quiet\n');
    await writeFile(join(folder, 'autoboot.txt'), renderAutoboot('A'));
    await mkdir(join(folder, 'state', 'inside'), { recursive: true });
    const { code } = await select(['sh'], 'early');
    expect(code).toBe(0);
    expect(parseState(await readFile(join(folder, 'state'), 'utf8')).boots).toBe(1);
    expect(await readdir(join(folder, 'state.broken'))).toEqual(['inside']);
  });
});
