import pino from 'pino';
import { expect, test, vi } from 'vitest';
import { FakeGpioHeader } from '../platform/gpio.fake.ts';
import { GpioPanel } from './gpio-panel.ts';

const line = { active: 'low' as const };
const lines = {
  role: 'auto' as const,
  jumper: { gpio: 3 },
  recordButton: line,
  tallyLight: line,
  statusLight: line,
} as Parameters<GpioPanel['apply']>[0];

test('follows the jumper through any number of applies', async () => {
  const header = new FakeGpioHeader();
  const heard: string[] = [];
  const panel = new GpioPanel({
    header,
    statusLed: null,
    // As in the appliance: what the jumper says is applied at once.
    onJumper: () => {
      heard.push(panel.jumper);
      void panel.apply(lines);
    },
    onRecordButton: () => {},
    log: pino({ level: 'silent' }),
  });
  await panel.apply(lines);
  expect(panel.jumper).toBe('open');
  for (const [level, reading] of [
    [0, 'closed'],
    [1, 'open'],
    [0, 'closed'],
  ] as const) {
    header.set(3, level);
    await vi.waitFor(() => expect(heard.at(-1)).toBe(reading), { timeout: 10_000 });
    await panel.apply(lines);
    expect(panel.jumper).toBe(reading);
  }
  expect(heard).toEqual(['closed', 'open', 'closed']);
  await panel.apply({ ...lines, role: 'hub' });
  expect(header.isOpen(3)).toBe(false);
  await panel.close();
});

test('the status light follows its line in the settings and shows the state', async () => {
  const header = new FakeGpioHeader();
  const panel = new GpioPanel({
    header,
    statusLed: null,
    onJumper: () => {},
    onRecordButton: () => {},
    log: pino({ level: 'silent' }),
  });
  const statusOn = (gpio: number) => ({
    ...lines,
    role: 'hub' as const,
    statusLight: { gpio, active: 'high' as const },
  });
  panel.showState('ready');
  await panel.apply(statusOn(23));
  await vi.waitFor(() => expect(header.level(23)).toBe(1), { timeout: 10_000 });
  await panel.apply(statusOn(24));
  expect(header.isOpen(23)).toBe(false);
  await vi.waitFor(() => expect(header.level(24)).toBe(1), { timeout: 10_000 });
  await panel.close();
  expect(header.isOpen(24)).toBe(false);
});

test('a tally light that is switched twice at once shows the last state', async () => {
  const header = new FakeGpioHeader();
  const panel = new GpioPanel({
    header,
    statusLed: null,
    onJumper: () => {},
    onRecordButton: () => {},
    log: pino({ level: 'silent' }),
  });
  await panel.apply({ ...lines, role: 'hub', tallyLight: { gpio: 13, active: 'high' } });
  // A take that is refused as soon as it is asked for.
  panel.showTally(true);
  panel.showTally(false);
  await vi.waitFor(() => expect(header.isOpen(13)).toBe(false), { timeout: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(header.level(13)).toBe(0);
  await panel.close();
});
