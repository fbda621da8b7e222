import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { cameraStatus } from '../telemetry/status.fixture.ts';
import { consoleText, writeConsole } from './console-screen.ts';

const reach = { port: 80, tlsPort: 443 };
const base = cameraStatus();
const status = cameraStatus({
  device: { ...base.device, name: 'stage-left', role: 'camera', version: '1.2.3' },
  health: { state: 'ok', components: [] },
  host: {
    ...base.host,
    network: [
      {
        name: 'eth0',
        addresses: ['192.168.1.20', 'fe80::1', '169.254.3.3'],
        rxKbps: 0,
        txKbps: 0,
        wifiSignalDbm: null,
      },
    ],
  },
  hub: { state: 'connected', id: 'x', name: 'truck', url: 'https://truck.local', reason: null },
  adoption: null,
  recording: { state: 'idle', take: null, remainingS: null, refusal: null },
  config: { file: 'rushlight.toml', errors: [] },
});

test('shows its name, the address of its page and its state', () => {
  expect(consoleText(status, reach).split('\n')).toEqual([
    'https://stage-left.local/',
    'Rushlight  stage-left  camera  1.2.3',
    '',
    'https://stage-left.local/',
    'https://192.168.1.20/',
    '',
    'It is ready. (status light: lit)',
    'Hub: truck, connected',
    'Masters: /media/ssd/takes (the SSD)',
    '',
  ]);
});

test('says that keys are lost while nobody can sign in to read it', () => {
  const keys = { name: 'keys', state: 'degraded', reason: 'The key file was damaged.' } as const;
  const text = consoleText({ ...status, health: { state: 'degraded', components: [keys] } }, reach);
  expect(text).toContain('The key file was damaged, and keys may be gone.\nThe code below opens the page.\n');
  expect(consoleText(status, reach)).not.toContain('key file');
});

test('shows the code to compare, and problems in the settings', () => {
  const text = consoleText(
    {
      ...status,
      hub: null,
      adoption: { code: '123456', hubName: 'truck' },
      config: {
        file: 'rushlight.toml',
        errors: [{ line: 3, key: 'role', message: 'is no role', expected: 'hub', nearest: null }],
      },
    },
    { ...reach, tlsPort: 8443 },
  );
  expect(text).toContain('https://stage-left.local:8443/\n');
  expect(text).toContain('Code: 123 456  asked for by truck');
  expect(text).not.toContain('confirm');
  const adoption = {
    ...{ code: '123456', hubName: 'truck' },
    others: [{ code: '654321', hubName: 'greedy', confirm: 'several-hubs' as const }],
  };
  expect(consoleText({ ...status, hub: null, adoption }, reach)).toContain(
    'Open the page of this camera, and confirm there which hub is yours.\n',
  );
  expect(text).toContain('  line 3: role is no role');
  expect(consoleText(status, { ...reach, tlsPort: null })).toContain('http://192.168.1.20/');
});

test('nothing in it moves the cursor or leaves the screen, whatever a hub calls itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, reason) => {
      const hub = { state: 'refused', id: null, name, url: null, reason } as const;
      const lines = consoleText({ ...status, hub }, reach).split('\n');
      for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]{0,76}$/);
    }),
  );
});

test('is written where the console reads it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-console-'));
  try {
    await writeConsole(folder, 'text\n', pino({ level: 'silent' }));
    expect(await readFile(join(folder, 'console'), 'utf8')).toBe('text\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});
