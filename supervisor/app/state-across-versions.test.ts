import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { adoptionSection } from '../camera/camera-key.ts';
import { overridesSection } from '../config/overrides.ts';
import { type StateSection, StateStore } from '../config/state.ts';
import { cameraKeysSection } from '../hub/camera-keys.ts';
import { controlsSection } from '../sources/control-state.ts';
import { pluggedSection } from '../sources/plugged-cameras.ts';
import { portsSection } from '../sources/port-allocator.ts';
import { roleSection } from '../system/current-role.ts';
import { identitySection } from '../system/identity.ts';
import { KeyStore } from '../system/key-store.ts';
import { takesSection } from '../takes/take-book.ts';

/**
 * Files as this release wrote them: of a hub in simulation with a setting from the page and a camera's key, and of an
 * adopted camera. They stay as they are: every later release has to read them, and every release reads what a later one
 * wrote, since a rollback brings it back.
 */
const recorded = (name: string) =>
  readFileSync(join(import.meta.dirname, 'fixtures/release-0.1.0', name), 'utf8');
const sections: readonly StateSection<z.ZodObject>[] = [
  ...[adoptionSection, identitySection, overridesSection, portsSection, roleSection, takesSection],
  ...[cameraKeysSection, controlsSection, pluggedSection],
];
const logger = pino({ level: 'silent' });
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rushlight-versions-'));
  file = join(folder, 'state.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function open(text: string): Promise<StateStore> {
  await writeFile(file, text);
  const store = new StateStore({ file, logger });
  await store.load();
  return store;
}

const read = (store: StateStore) => Object.fromEntries(sections.map((one) => [one.name, store.get(one)]));

describe('state recorded by this release', () => {
  test.each(['state.json', 'state-camera.json'])('%s is read completely', async (name) => {
    const raw = JSON.parse(recorded(name)) as Record<string, unknown>;
    const { version, ...kept } = raw;
    expect(version).toBe(1);
    expect(read(await open(recorded(name)))).toMatchObject(kept);
  });

  test('is read in the same way after a later release added to it, and keeps the additions', async () => {
    const fields = fc.dictionary(fc.stringMatching(/^later[A-Z][a-z]{1,8}$/), fc.jsonValue(), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(fields, fields, fc.integer({ min: 1, max: 99 }), async (inside, beside, version) => {
        const raw = JSON.parse(recorded('state-camera.json'));
        const later = { ...beside, ...raw, version, adoption: { ...inside, ...raw.adoption } };
        const store = await open(JSON.stringify(later));
        expect(read(store)).toEqual(read(await open(recorded('state-camera.json'))));
        const back = await open(JSON.stringify(later));
        await back.update(roleSection, () => ({ last: 'camera' as const }));
        const written = JSON.parse(await readFile(file, 'utf8'));
        expect(written).toEqual(JSON.parse(JSON.stringify({ ...later, role: { last: 'camera' } })));
      }),
      { numRuns: 25 },
    );
  });

  test('loses no other list entry because of one from a later release', async () => {
    const raw = JSON.parse(recorded('state.json'));
    const { overrides } = raw.config;
    const later = { ...raw, config: { overrides: [{ path: 'of another form' }, ...overrides] } };
    expect((await open(JSON.stringify(later))).get(overridesSection)).toEqual({ overrides });
  });
});

describe('keys recorded by this release', () => {
  async function keysOf(kept: { file: unknown }): Promise<KeyStore> {
    const store = new KeyStore({
      read: async () => JSON.stringify(kept.file),
      write: async (written) => {
        kept.file = structuredClone(written);
      },
    });
    await store.load();
    return store;
  }

  test('are read completely', async () => {
    const recordedKeys = JSON.parse(recorded('keys.json'));
    expect((await keysOf({ file: recordedKeys })).list()).toEqual(recordedKeys.keys);
  });

  test('stay beside those of a later release, which open nothing here and are kept', async () => {
    const { keys } = JSON.parse(recorded('keys.json'));
    const foreign = { ...keys[0], id: 'later', role: 'guest', until: '2027-01-01' };
    const kept = { file: { version: 2, keys: [foreign, ...keys], salt: 'x' } as unknown };
    const store = await keysOf(kept);
    expect(store.list()).toEqual(keys);
    const { token, key } = await store.create('viewer', 'tablet');
    expect(store.find(token)).toEqual(key);
    expect(kept.file).toMatchObject({ version: 2, keys: [foreign, ...keys, key], salt: 'x' });
    await store.revoke(key.id);
    const checked = keys.map((entry: object) => ({ ...entry, check: expect.any(String) }));
    expect(kept.file).toEqual({ version: 2, keys: [foreign, ...checked], salt: 'x' });
  });
});
