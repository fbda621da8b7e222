import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BlackBox } from './black-box.ts';
import { BundleCache } from './rollout/bundle-cache.ts';
import { RolloutConductor } from './rollout/conductor.ts';
import { parseState, renderState } from './selector/state.ts';

/**
 * Files as this release wrote them, recorded from a rollout that halted on its canary. They stay as they are: every later
 * release has to read them, and every release reads what a later one wrote, since a rollback brings it back.
 */
const recorded = (name: string) =>
  readFileSync(join(import.meta.dirname, 'fixtures/release-0.1.0', name), 'utf8');
const logger = pino({ level: 'silent' });
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'versions-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function attemptsOf(text: string) {
  await writeFile(join(folder, 'black-box.json'), text);
  const box = new BlackBox(folder, logger);
  await box.load();
  return box.attempts;
}

async function rolloutOf(text: string) {
  await writeFile(join(folder, 'rollout.json'), text);
  const cache = new BundleCache({ folder, fetch, verify: async () => {}, logger });
  const fleet = { members: () => [], takeRunning: () => false, install: async () => {} };
  const conductor = new RolloutConductor({ fleet, cache, folder, logger, now: () => new Date() });
  const stop = new AbortController();
  const running = conductor.run(stop.signal);
  await vi.waitFor(() => expect(conductor.status().loaded).toBe(true), { timeout: 20_000 });
  stop.abort();
  await running;
  return conductor.status().rollout;
}

/** The same with a field in every object that this release does not know, as a later one may write it. */
function withStrangers(value: unknown, stranger: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => withStrangers(one, stranger));
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).map(([name, inner]) => [name, withStrangers(inner, stranger, name)]);
  // A table of members has no fields of its own.
  return Object.fromEntries(key === 'members' ? known : [...known, ['aFieldOfLater', stranger]]);
}

describe('data recorded by this release', () => {
  it('is read completely', async () => {
    const box = JSON.parse(recorded('black-box.json'));
    expect(await attemptsOf(recorded('black-box.json'))).toEqual(box.attempts);
    const { rollout } = JSON.parse(recorded('rollout.json'));
    expect(await rolloutOf(recorded('rollout.json'))).toEqual(rollout);
    expect(rollout).toMatchObject({ phase: 'halted', order: ['left', 'right', 'hub-1'] });
    const selector = recorded('selector-state');
    expect(renderState(parseState(selector))).toBe(selector);
    expect(parseState(selector).marks).toEqual({ A: 'good', B: 'bad' });
  });

  it('is read in the same way after a later release added to it', async () => {
    const box = JSON.parse(recorded('black-box.json'));
    const saved = JSON.parse(recorded('rollout.json'));
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.integer({ min: 1, max: 9 }), async (stranger, schema) => {
        const later = (whole: object) =>
          JSON.stringify({ ...(withStrangers(whole, stranger) as object), schema });
        expect(await attemptsOf(later(box))).toEqual(box.attempts);
        expect(await rolloutOf(later(saved))).toEqual(saved.rollout);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps valid attempts next to an invalid one', async () => {
    const box = JSON.parse(recorded('black-box.json'));
    const foreign = { ...box.attempts[0], outcome: 'teleported' };
    const text = JSON.stringify({ schema: 2, attempts: [foreign, ...box.attempts] });
    expect(await attemptsOf(text)).toEqual(box.attempts);
  });
});
