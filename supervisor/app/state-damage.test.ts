import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { damages, isNoDocument } from '../../scripts/testing/damage.ts';
import { adoptionSection } from '../camera/camera-key.ts';
import { overridesSection } from '../config/overrides.ts';
import { type StateSection, StateStore } from '../config/state.ts';
import { controlsSection } from '../sources/control-state.ts';
import { pluggedSection } from '../sources/plugged-cameras.ts';
import { portsSection } from '../sources/port-allocator.ts';
import { roleSection } from '../system/current-role.ts';
import { identitySection } from '../system/identity.ts';
import { takesSection } from '../takes/take-book.ts';
import { TakeConductor } from '../takes/take-conductor.ts';

const sections: readonly StateSection<z.ZodObject>[] = [
  ...[adoptionSection, identitySection, overridesSection, portsSection, roleSection, takesSection],
  ...[controlsSection, pluggedSection],
];
const recorded = (name: string) =>
  readFileSync(join(import.meta.dirname, 'fixtures/release-0.1.0', name), 'utf8');
const added = { name: 'added', schema: z.object({ count: z.int().default(0) }) };
const logger = pino({ level: 'silent' });
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-damage-'));
  file = join(folder, 'state.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open() {
  const said: string[] = [];
  const store = new StateStore({ file, logger, onDamage: (what) => said.push(what) });
  await store.load();
  return { store, said };
}

test.each(['state.json', 'state-camera.json'])(
  '%s may be damaged in any way: the appliance starts, reports it, keeps the file and remembers new data',
  { timeout: 60_000 },
  async (name) => {
    await fc.assert(
      fc.asyncProperty(damages(recorded(name)), async (bytes) => {
        await rm(`${file}.broken`, { force: true });
        await writeFile(file, bytes);
        const { store, said } = await open();
        for (const section of sections) {
          expect(section.schema.safeParse(store.get(section)).success).toBe(true);
          store.get(section);
        }
        // Once for the whole, or once for each section.
        expect(new Set(said).size).toBe(said.length);
        if (isNoDocument(bytes)) expect(said).toEqual([expect.stringContaining('state.json')]);
        for (const section of sections) await store.update(section, (current) => current as object);
        await store.update(added, ({ count }) => ({ count: count + 1 }));
        if (said.length > 0) expect((await readFile(`${file}.broken`)).toString()).toBe(bytes.toString());
        const again = await open();
        expect(again.said).toEqual([]);
        for (const section of sections) expect(again.store.get(section)).toEqual(store.get(section));
        expect(again.store.get(added)).toEqual({ count: 1 });
      }),
      { numRuns: 150 },
    );
  },
);

test('lists or skips takes that a disk changed, and ends none of the others', {
  timeout: 60_000,
}, async () => {
  const local = {
    recordable: () => [],
    start: async () => [],
    stop: async () => {},
    remove: async () => {},
    list: async () => [],
    subscribe: () => () => {},
  };
  await fc.assert(
    fc.asyncProperty(damages(recorded('state.json')), async (bytes) => {
      await writeFile(file, bytes);
      const { store } = await open();
      const told = { onTake: () => {}, onGone: () => {}, onRefusal: () => {} };
      const conductor = new TakeConductor({ local, cameras: null, state: store, log: logger, ...told });
      await conductor.load();
      for (const { id } of conductor.list()) expect(conductor.get(id).id).toBe(id);
      await expect(conductor.start(null)).rejects.toThrow();
    }),
    { numRuns: 60 },
  );
});

test('a section with one damaged field can be written again, and the others stay', async () => {
  const raw = JSON.parse(recorded('state-camera.json'));
  const adoption = { ...raw.adoption, token: 5, ofLater: 'x' };
  await writeFile(file, JSON.stringify({ ...raw, adoption }));
  const { store, said } = await open();
  const whole = adoptionSection.schema.parse({});
  expect(store.get(adoptionSection)).toEqual(whole);
  expect(said).toEqual([expect.stringContaining('"adoption"')]);
  await store.update(adoptionSection, () => ({ hubId: 'hub-2' }));
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    ...raw,
    adoption: { hubId: 'hub-2', ofLater: 'x' },
  });
  expect(JSON.parse(await readFile(`${file}.broken`, 'utf8'))).toMatchObject({ adoption });
});

test('also sets aside something that is not a file, without displacing an earlier copy', async () => {
  await mkdir(join(file, 'inside'), { recursive: true });
  await mkdir(join(`${file}.broken`, 'inside'), { recursive: true });
  const { store, said } = await open();
  expect(said).toHaveLength(1);
  await store.update(added, () => ({ count: 1 }));
  expect((await readdir(folder)).filter((name) => name.startsWith('state.json.broken'))).toHaveLength(2);
  expect(existsSync(join(`${file}.broken`, 'inside'))).toBe(true);
});
