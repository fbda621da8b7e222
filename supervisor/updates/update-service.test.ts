import { expect, test } from 'vitest';
import type { Config } from '../config/schema.ts';
import { updateSettings } from './update-service.ts';

test('the token of hawkBit is next to the settings, like every file that they name', () => {
  const settings = { channel: 'stable', install: 'ask', conducted: true } as Config['update'];
  const file = '/boot/rushlight/rushlight.toml';
  const tokenOf = (hawkbitTokenFile: string) =>
    updateSettings({ ...settings, hawkbitTokenFile }, file).hawkbitTokenFile;
  expect(tokenOf('hawkbit.token')).toBe('/boot/rushlight/hawkbit.token');
  expect(tokenOf('/data/hawkbit.token')).toBe('/data/hawkbit.token');
  expect(updateSettings(settings, file)).toMatchObject({ url: null, hawkbitTokenFile: null, install: 'ask' });
});
