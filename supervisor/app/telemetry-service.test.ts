import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StateStore } from '../config/state.ts';
import { mqttSection, type TelemetryParts, TelemetryService } from './telemetry-service.ts';

test('accepts only what is waiting, and can forget what it accepted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-mqtt-'));
  const logger = pino({ level: 'silent' });
  const state = new StateStore({ file: join(folder, 'state.json'), logger });
  await state.load();
  await state.update(mqttSection, () => ({ accepted: ['attic'], documents: ['homeassistant/x'] }));
  const service = new TelemetryService({ state, log: logger } as unknown as TelemetryParts);
  await expect(service.accept('cellar')).rejects.toMatchObject({ code: 'BROKER_UNKNOWN' });
  expect(state.get(mqttSection).accepted).toEqual(['attic']);
  await service.forget();
  expect(state.get(mqttSection)).toEqual({ accepted: [], documents: ['homeassistant/x'] });
  await rm(folder, { recursive: true });
});
