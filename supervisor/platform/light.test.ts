import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeGpioHeader } from './gpio.fake.ts';
import { findStatusLed, type Light, openGpioLight, openLed, playPattern } from './light.ts';

class RecordedLight implements Light {
  readonly seen: boolean[] = [];
  readonly #enough: () => boolean;
  readonly stop = new AbortController();

  constructor(enough: (seen: readonly boolean[]) => boolean) {
    this.#enough = () => enough(this.seen);
  }

  async set(isLit: boolean): Promise<void> {
    this.seen.push(isLit);
    if (this.#enough()) this.stop.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

describe('a pattern', () => {
  test('repeats', async () => {
    const light = new RecordedLight(({ length }) => length === 9);
    await playPattern(light, [5, 1, 1, 5], light.stop.signal);
    expect(light.seen).toEqual([true, false, true, false, true, false, true, false, true]);
  });

  test('of one number stays lit', async () => {
    const light = new RecordedLight(() => false);
    setTimeout(() => light.stop.abort(), 30);
    await playPattern(light, [1], light.stop.signal);
    expect(light.seen).toEqual([true]);
  });

  test('does not start after its signal', async () => {
    const light = new RecordedLight(() => false);
    await playPattern(light, [1, 1], AbortSignal.abort());
    expect(light.seen).toEqual([]);
  });
});

test.each(['low', 'high'] as const)('a light on a line, active %s, is dark at the end', async (active) => {
  const header = new FakeGpioHeader();
  const [lit, dark] = active === 'high' ? ([1, 0] as const) : ([0, 1] as const);
  {
    await using light = await openGpioLight(header, 23, active);
    expect(header.level(23)).toBe(dark);
    await light.set(true);
    expect(header.level(23)).toBe(lit);
    expect(header.isOpen(23)).toBe(true);
  }
  expect(header.level(23)).toBe(dark);
  expect(header.isOpen(23)).toBe(false);
});

describe('an LED of the kernel', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rushlight-led-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test('is switched manually while the program runs, and blinks by itself before and after', async () => {
    expect(await findStatusLed(root)).toBeNull();
    const folder = join(root, 'sys/class/leds/rushlight:status');
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'max_brightness'), '255\n');
    writeFileSync(join(folder, 'trigger'), 'none [timer]');
    const found = await findStatusLed(root);
    expect(found).toBe(folder);
    {
      await using light = await openLed(found ?? '');
      expect(read('trigger')).toBe('none');
      await light.set(true);
      expect(read('brightness')).toBe('255');
      await light.set(false);
      expect(read('brightness')).toBe('0');
    }
    expect(read('trigger')).toBe('timer');
  });
});
