import { expect, test, vi } from 'vitest';
import { FakeGpioHeader } from '../platform/gpio.fake.ts';
import { openGpioLight } from '../platform/light.ts';
import { StatusLight } from './status-light.ts';

test('shows each state as it changes and releases the line', async () => {
  const header = new FakeGpioHeader();
  const light = new StatusLight();
  const stop = new AbortController();
  const running = light.run(() => openGpioLight(header, 23, 'high'), stop.signal);
  light.show('ready');
  await vi.waitFor(() => expect(header.level(23)).toBe(1), { timeout: 10_000 });
  light.show('updating');
  await vi.waitFor(() => expect(header.level(23)).toBe(0), { timeout: 10_000, interval: 10 });
  light.show('ready');
  await vi.waitFor(() => expect(header.level(23)).toBe(1), { timeout: 10_000 });
  const identified = light.identify(400);
  await vi.waitFor(() => expect(header.level(23)).toBe(0), { timeout: 10_000, interval: 10 });
  await identified;
  await vi.waitFor(() => expect(header.level(23)).toBe(1), { timeout: 10_000 });
  stop.abort();
  await running;
  expect(header.level(23)).toBe(0);
  expect(header.isOpen(23)).toBe(false);
});

test('fails if it cannot have the line', async () => {
  const header = new FakeGpioHeader();
  header.broken.add(23);
  const running = new StatusLight().run(() => openGpioLight(header, 23, 'low'), new AbortController().signal);
  await expect(running).rejects.toMatchObject({ code: 'GPIO_UNAVAILABLE' });
});
