import { connectAsync } from 'mqtt';
import { expect, it } from 'vitest';
import { waitFor } from '../lib/wait.ts';
import { RigBroker } from './rig-broker.ts';

it('keeps the messages of the device for each topic, in order', async () => {
  const stop = new AbortController();
  await using broker = await RigBroker.start('device/#', stop.signal);
  const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 }, false);
  for (const [topic, payload] of [
    ['device/state', 'one'],
    ['device/other', 'two'],
    ['elsewhere', 'three'],
    ['device/state', 'four'],
  ] as const)
    await device.publishAsync(topic, payload, { qos: 1, retain: true });
  await waitFor('the last message', () => broker.messages.length === 3, { timeoutMs: 20_000, pollMs: 20 });
  expect(broker.messagesOn('device/state')).toEqual(['one', 'four']);
  expect(broker.messagesOn('device/state', 2)).toEqual(['four']);
  await device.endAsync();
});
