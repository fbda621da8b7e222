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

test('the jumper is followed through any number of applies', async () => {
  const header = new FakeGpioHeader();
  const heard: string[] = [];
  const panel = new GpioPanel({
    header,
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
