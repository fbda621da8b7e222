import { describe, expect, test } from 'vitest';
import type { Status } from '../../../contract/index.ts';
import { cameraFixture, outputFixture, statusFixture, takeFixture } from '../../testing/fixture.ts';
import { alertsOf } from './alerts.ts';

const { host } = statusFixture();
const power = {
  underVoltageNow: false,
  throttledNow: false,
  underVoltageSinceBoot: false,
  throttledSinceBoot: false,
};

const titles = (over: Parameters<typeof statusFixture>[0]) =>
  alertsOf(statusFixture(over)).map(({ severity, title }) => `${severity}: ${title}`);

test('a healthy appliance has none', () => expect(alertsOf(statusFixture())).toEqual([]));

test('a config error has place, cause, expectation and next step', () => {
  const errors = [
    {
      line: 12,
      key: 'source[0].fsp',
      message: 'unknown key',
      expected: 'a number from 1 to 120',
      nearest: 'fps',
    },
  ];
  const [alert] = alertsOf(statusFixture({ config: { file: '/boot/rushlight/rushlight.toml', errors } }));
  expect(alert?.title).toBe('rushlight.toml, line 12: source[0].fsp');
  expect(alert?.detail).toBe('unknown key. Expected: a number from 1 to 120. Did you mean “fps”?');
  expect(alert?.advice).toContain('Correct /boot/rushlight/rushlight.toml');
});

test('a message that says what was expected does not say it twice', () => {
  const expected = 'one of "auto", "hub", "camera"';
  const errors = [{ line: 1, key: 'role', message: `expected ${expected}`, expected, nearest: null }];
  const [alert] = alertsOf(statusFixture({ config: { file: '/boot/rushlight/rushlight.toml', errors } }));
  expect(alert?.detail).toBe(`expected ${expected}.`);
});

test('a message that names the nearest key needs no second hint', () => {
  const message = 'unknown key; the nearest known key is fps';
  const errors = [{ line: 12, key: 'source[0].fsp', message, expected: null, nearest: 'fps' }];
  const [alert] = alertsOf(statusFixture({ config: { file: '/boot/rushlight/rushlight.toml', errors } }));
  expect(alert?.detail).toBe(`${message}.`);
});

describe('the board', () => {
  test('power: the present outweighs the past', () => {
    expect(
      titles({ host: { ...host, power: { ...power, underVoltageNow: true, throttledNow: true } } }),
    ).toEqual(['error: The power supply is too weak']);
    expect(titles({ host: { ...host, power: { ...power, underVoltageSinceBoot: true } } })).toEqual([
      'warning: The voltage has been too low since the start',
    ]);
    expect(titles({ host: { ...host, power } })).toEqual([]);
  });

  test('heat, a full disk, a worn disk, a clock', () => {
    const disk = { mount: '/data', label: 'ssd', totalBytes: 1000, freeBytes: 20, wearPercent: 95 };
    expect(
      titles({
        host: { ...host, temperatureC: 86, disks: [disk], clock: { synced: false, offsetMs: null } },
      }),
    ).toEqual([
      'error: The board is hot: 86 °C',
      'error: Disk ssd is almost full',
      'warning: Disk ssd is worn out',
      'warning: The clock is not synchronised',
    ]);
  });

  test('a disk that hangs, instead of its old figures', () => {
    const disk = {
      mount: '/media/ssd',
      label: 'SSD',
      totalBytes: 1000,
      freeBytes: 20,
      wearPercent: 95,
      silentS: 12,
    };
    expect(titles({ host: { ...host, disks: [disk] } })).toEqual(['error: Disk SSD does not answer']);
  });

  test('little room to record', () => {
    const recording = { state: 'recording', take: null, remainingS: 240, refusal: null } as const;
    expect(titles({ recording })).toEqual(['error: Room for at least 4 min of recording']);
  });

  test('an estimate of 15 minutes is no alarm before the first take, but a warning afterwards', () => {
    const first = { state: 'idle', take: null, remainingS: 900, refusal: null } as const;
    expect(titles({ recording: first })).toEqual([]);
    const later = { ...first, take: takeFixture() };
    expect(titles({ recording: later })).toEqual(['warning: Room for at least 15 min of recording']);
  });

  test('reports an output that does not send, but not one that waits or is off', () => {
    const reason = 'The server refused the token (401).';
    const outputs = [
      outputFixture({ state: 'failed', reason }),
      outputFixture({ id: 'b', state: 'waiting', reason: 'No feed.' }),
      outputFixture({ id: 'c', state: 'off', reason: 'Off.' }),
      outputFixture({ id: 'd' }),
    ];
    expect(alertsOf(statusFixture({ outputs }))).toMatchObject([
      { key: 'output-cloud', severity: 'warning', title: 'Output Cloud isn’t sending', detail: reason },
    ]);
  });

  test('reports a missing hub first on a camera', () => {
    const recording = { state: 'idle', take: takeFixture(), remainingS: 900, refusal: null } as const;
    const hub = { state: 'searching', id: null, name: null, url: null, reason: null } as const;
    expect(titles({ recording, hub })[0]).toBe('warning: No hub found');
  });
});

describe('links and health', () => {
  test('a camera whose clock is certainly a frame off', () => {
    const off = (clockOffsetMs: number | null, clockUncertaintyMs: number | null) =>
      titles({ cameras: [cameraFixture({ clockOffsetMs, clockUncertaintyMs })] });
    expect(off(-130, 5)).toEqual(['warning: The clock of stage-left is 130 ms behind']);
    expect([...off(130, 100), ...off(39, null), ...off(null, null)]).toEqual([]);
  });

  test('a camera without hub, a hub without its camera', () => {
    const hub = { state: 'searching', id: null, name: null, url: null, reason: null } as const;
    expect(titles({ hub })).toEqual(['warning: No hub found']);
    expect(titles({ hub: { ...hub, state: 'refused', name: 'foh', reason: 'another key' } })).toEqual([
      'error: Not connected to the hub foh',
    ]);
    expect(titles({ cameras: [cameraFixture({ online: false })] })).toEqual([
      'warning: Camera stage-left is not connected',
    ]);
  });

  test('a failed component comes first, and a cause appears once', () => {
    const health = {
      state: 'failed',
      components: [
        { name: 'hub', state: 'degraded', reason: 'no hub' },
        { name: 'media', state: 'failed', reason: 'ended with code 1' },
      ],
    } as const;
    const hub = { state: 'searching', id: null, name: null, url: null, reason: null } as const;
    expect(titles({ health: { ...health, components: [...health.components] }, hub })).toEqual([
      'error: Live video has a problem',
      'warning: No hub found',
    ]);
  });
});

test('a broker that waits for acceptance appears once, as its banner', () => {
  const health = {
    state: 'degraded',
    components: [{ name: 'mqtt', state: 'degraded', reason: 'found' }],
  } as const;
  const link = { state: 'waiting', broker: null, protocol: null, reason: 'found' } as const;
  const found = { id: 'attic', name: 'attic', host: 'attic.local', url: 'mqtt://192.0.2.7:1883' };
  const alerts = (mqtt: Status['mqtt']) =>
    alertsOf(statusFixture({ health: { ...health, components: [...health.components] }, mqtt })).length;
  expect(alerts({ ...link, found })).toBe(0);
  expect(alerts({ ...link, found: null })).toBe(1);
});
