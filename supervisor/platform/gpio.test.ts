import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { FakeGpioHeader } from './gpio.fake.ts';
import { isActive, readJumper, watchInput } from './gpio.ts';
import { findHeaderChip, parseGpioChip, readGpioChips, sysfsNumber } from './gpio-chip.ts';
import { labelsOf, openGpioHeader } from './gpio-onoff.ts';

const logger = pino({ level: 'silent' });
const waitOptions = { timeout: 20_000, interval: 5 };

/** A tree like /sys/class/gpio: folder name → label, base, number of lines. */
function sysfsTree(chips: Record<string, [string, number, number]>): string {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-gpio-'));
  writeFileSync(join(folder, 'export'), '');
  for (const [name, [label, base, lines]] of Object.entries(chips)) {
    mkdirSync(join(folder, name));
    for (const [file, value] of Object.entries({ label, base, ngpio: lines })) {
      writeFileSync(join(folder, name, file), `${value}\n`);
    }
  }
  return folder;
}

/** Made from the drivers' documented labels and line counts, not recorded on boards; bases as of kernel 6.6 and 6.12. */
describe('the chip of the header', () => {
  it.each([
    [
      'Zero 2 W, kernel 6.6',
      { gpiochip512: ['pinctrl-bcm2835', 512, 54], gpiochip566: ['raspberrypi-exp-gpio', 566, 8] },
      529,
    ],
    [
      'Zero 2 W, old kernel',
      { gpiochip0: ['pinctrl-bcm2835', 0, 54], gpiochip504: ['raspberrypi-exp-gpio', 504, 8] },
      17,
    ],
    [
      '4, kernel 6.6',
      { gpiochip512: ['pinctrl-bcm2711', 512, 58], gpiochip570: ['raspberrypi-exp-gpio', 570, 8] },
      529,
    ],
    [
      '5, kernel 6.6',
      {
        gpiochip512: ['gpio-brcmstb@107d508500', 512, 32],
        gpiochip544: ['gpio-brcmstb@107d508520', 544, 4],
        gpiochip571: ['pinctrl-rp1', 571, 54],
      },
      588,
    ],
  ] as const)('of a %s is found by its label, GPIO 17 by its base', (_board, chips, number) => {
    const folder = sysfsTree(chips as unknown as Record<string, [string, number, number]>);
    const chip = findHeaderChip(readGpioChips(folder));
    rmSync(folder, { recursive: true });
    expect(chip && sysfsNumber(chip, 17)).toBe(number);
  });

  it('is null if there is none', async () => {
    expect(readGpioChips('/no/such/folder')).toEqual([]);
    expect(findHeaderChip([{ label: 'INT34C6:00', base: 0, lines: 300 }])).toBeUndefined();
    expect(await openGpioHeader({ logger, labels: [] })).toBeNull();
    expect(labelsOf({ RUSHLIGHT_GPIO_CHIP: 'rig' })).toContain('rig');
  });

  it('has no lines beyond its own', () => {
    const chip = { label: 'x', base: 512, lines: 8 };
    expect([
      sysfsNumber(chip, 7),
      sysfsNumber(chip, 8),
      sysfsNumber(chip, -1),
      sysfsNumber(chip, 0.5),
    ]).toEqual([519, undefined, undefined, undefined]);
  });

  it('parses any text without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (label, base, ngpio) => {
        const chip = parseGpioChip({ label, base, ngpio });
        if (chip !== undefined) expect([chip.base, chip.lines].every(Number.isInteger)).toBe(true);
      }),
    );
  });
});

describe('readJumper', () => {
  it('reads closed, open, unreadable and absent', async () => {
    const header = new FakeGpioHeader();
    expect(await readJumper(null, 17, logger)).toBe('absent');
    expect(await readJumper(header, 17, logger)).toBe('open');
    header.set(17, 0);
    expect(await readJumper(header, 17, logger)).toBe('closed');
    expect(header.isOpen(17)).toBe(false);
    header.broken.add(17);
    expect(await readJumper(header, 17, logger)).toBe('unreadable');
  });

  it('is unreadable if the line does not hold still', async () => {
    let value: 0 | 1 = 0;
    const flutter = {
      read: async () => (value = value === 0 ? 1 : 0),
      onEdge: () => {},
      [Symbol.dispose]: () => {},
    };
    const header = { openInput: async () => flutter, openOutput: () => Promise.reject(new Error('none')) };
    expect(await readJumper(header, 17, logger)).toBe('unreadable');
  });
});

describe('watchInput', () => {
  it('reports the initial state and every change that holds, and releases the line', async () => {
    const header = new FakeGpioHeader();
    const told: boolean[] = [];
    const stop = new AbortController();
    const onChange = (active: boolean) => void told.push(active);
    const done = watchInput(
      { header, gpio: 22, active: 'low', logger, onChange, debounceMs: 20 },
      stop.signal,
    );
    await vi.waitFor(() => expect(told).toEqual([false]), waitOptions);
    for (const value of [0, 1, 0, 1, 0] as const) header.set(22, value);
    await vi.waitFor(() => expect(told).toEqual([false, true]), waitOptions);
    for (const value of [1, 0] as const) header.set(22, value);
    header.set(22, 1);
    await vi.waitFor(() => expect(told).toEqual([false, true, false]), waitOptions);
    stop.abort();
    await done;
    expect(header.isOpen(22)).toBe(false);
  });

  it('rejects if the line cannot be opened', async () => {
    const header = new FakeGpioHeader();
    header.broken.add(22);
    const options = { header, gpio: 22, active: 'high', logger, onChange: () => {} } as const;
    await expect(watchInput(options, new AbortController().signal)).rejects.toMatchObject({
      code: 'GPIO_UNAVAILABLE',
    });
    expect([isActive(0, 'low'), isActive(1, 'low'), isActive(0, 'high'), isActive(1, 'high')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
