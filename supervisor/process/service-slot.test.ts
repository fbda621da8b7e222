import { pino } from 'pino';
import { expect, test } from 'vitest';
import { defaultRestartPolicy } from './restart-policy.ts';
import { ServiceSlot } from './service-slot.ts';

function recordedService(name: string, events: string[]) {
  return async (signal: AbortSignal) => {
    events.push(`${name} starts`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.resolve();
    events.push(`${name} ends`);
  };
}

test('an equal key keeps the service; another one replaces it, never both at once', async () => {
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

test('runs again only after everything a failed service left running has ended', async () => {
  const events: string[] = [];
  let runs = 0;
  const policy = { ...defaultRestartPolicy, initialMs: 20 };
  const slot = new ServiceSlot('test', pino({ level: 'silent' }), { policy });
  await slot.set(1, async (signal) => {
    runs += 1;
    const part = recordedService(`part ${runs}`, events)(signal);
    await Promise.all([part, runs === 1 ? Promise.reject(new Error('the other part failed')) : part]);
  });
  await expect.poll(() => events).toEqual(['part 1 starts', 'part 1 ends', 'part 2 starts']);
  await slot.close();
});

test('logs a service that fails, and it can be set again', async () => {
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

const atOnce = { initialMs: 1, maxMs: 1, minMs: 1, stableAfterMs: 60_000 };

test('restarts a service that fails, and says why it does not run while it is wanted', async () => {
  const told: (string | null)[] = [];
  const slot = new ServiceSlot('test', pino({ level: 'silent' }), {
    onTrouble: (reason) => told.push(reason),
    policy: atOnce,
  });
  const runs = Promise.withResolvers<void>();
  let attempts = 0;
  await slot.set(1, async (signal) => {
    attempts += 1;
    if (attempts < 3) throw new Error(`failure ${attempts}`);
    runs.resolve();
    await recordedService('a', [])(signal);
  });
  await runs.promise;
  expect(told).toEqual(['failure 1', 'failure 2']);
  await slot.close();
  expect(told.at(-1)).toBeNull();
});

test('a service that throws before its first wait does not fail its caller', async () => {
  const slot = new ServiceSlot('test', pino({ level: 'silent' }), { policy: atOnce });
  const run = () => {
    throw new Error('at once');
  };
  await slot.set(1, run);
  await slot.close();
});

test('starts nothing after its end, not even what was being set meanwhile', async () => {
  const events: string[] = [];
  const slot = new ServiceSlot('test', pino({ level: 'silent' }));
  await slot.set(1, recordedService('a', events));
  const replacing = slot.set(2, recordedService('b', events));
  await Promise.all([slot.end(), replacing]);
  await slot.set(3, recordedService('c', events));
  expect(events).toEqual(['a starts', 'a ends']);
});
