import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ServiceSlot } from './service-slot.ts';

function recordedService(name: string, events: string[]) {
  return async (signal: AbortSignal) => {
    events.push(`${name} starts`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.resolve();
    events.push(`${name} ends`);
  };
}

test('an equal key leaves the service alone; another one replaces it, never both at once', async () => {
  const events: string[] = [];
  const slot = new ServiceSlot('test', pino({ level: 'silent' }));
  await slot.set({ port: 1 }, recordedService('a', events));
  await slot.set({ port: 1 }, recordedService('b', events));
  expect(events).toEqual(['a starts']);
  await slot.set({ port: 2 }, recordedService('c', events));
  expect(events).toEqual(['a starts', 'a ends', 'c starts']);
  await slot.set(null, null);
  await slot.close();
  expect(events).toEqual(['a starts', 'a ends', 'c starts', 'c ends']);
});

test('a service that fails is logged and can be set anew', async () => {
  const lines: string[] = [];
  const slot = new ServiceSlot('test', pino({}, { write: (line) => lines.push(line) }));
  await slot.set(1, async () => {
    throw new Error('no port');
  });
  await slot.close();
  expect(lines.join('')).toContain('no port');
  const events: string[] = [];
  await slot.set(1, recordedService('a', events));
  expect(events).toEqual(['a starts']);
  await slot.close();
});
