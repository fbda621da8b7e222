import { expect, test } from 'vitest';
import { statePayload } from './state-payload.ts';
import { hubStatus } from './status.fixture.ts';

const mqtt = { name: 'mqtt', state: 'degraded', reason: 'cannot connect to the broker' } as const;
const fine = { name: 'http', state: 'ok', reason: null } as const;

test('the health entry about the link is not reported as a problem over that link', () => {
  const { health } = statePayload(hubStatus({ health: { state: 'degraded', components: [fine, mqtt] } }));
  expect(health).toEqual({ state: 'ok', problem: false, reasons: [] });
});

test('everything else stays a problem', () => {
  const media = { name: 'media', state: 'failed', reason: 'it is being started' } as const;
  const { health } = statePayload(hubStatus({ health: { state: 'failed', components: [media, mqtt] } }));
  expect(health).toEqual({ state: 'failed', problem: true, reasons: ['media: it is being started'] });
});
