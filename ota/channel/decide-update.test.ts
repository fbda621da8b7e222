import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../version.ts';
import {
  bestRelease,
  decideUpdate,
  isWithin,
  stagePercentOf,
  type UpdateFacts,
  type UpdatePolicy,
} from './decide-update.ts';
import type { Channel, Release } from './manifest.ts';

const release = (version: string, over: Partial<Release> = {}): Release => ({
  version,
  compatible: 'board',
  minimumVersion: null,
  url: `https://updates.example/${version}.raucb`,
  sha256: '0'.repeat(64),
  sizeBytes: 1,
  notes: '',
  rolloutPercent: 100,
  ...over,
});
const channelOf = (...releases: Release[]): Channel => ({
  schema: 1,
  channel: 'stable',
  sequence: 1,
  releases,
});
const facts: UpdateFacts = {
  installedVersion: '1.0.0',
  compatible: 'board',
  deviceId: 'device-1',
  recording: false,
  trialRunning: false,
  minuteOfDay: 180,
  failedVersion: null,
};
const idle: UpdatePolicy = { install: 'idle', window: null, allowDowngrade: false };
const asked = { force: false, allowDowngrade: false };

describe('the chosen release', () => {
  it('is the newest that fits the board', () => {
    const channel = channelOf(release('1.1.0'), release('1.3.0', { compatible: 'other' }), release('1.2.0'));
    expect(bestRelease(channel, facts, false).release?.version).toBe('1.2.0');
  });

  it('is an intermediate step if the newest needs one', () => {
    const channel = channelOf(release('3.0.0', { minimumVersion: '2.0.0' }), release('2.0.0'));
    expect(bestRelease(channel, facts, false).release?.version).toBe('2.0.0');
    const gap = channelOf(release('3.0.0', { minimumVersion: '2.0.0' }));
    expect(bestRelease(gap, facts, false)).toEqual({
      release: null,
      reason: '3.0.0 needs 2.0.0, which the channel lacks',
    });
  });

  it('is never an older one unless that is allowed', () => {
    const channel = channelOf(release('0.9.0'), release('0.8.0'));
    expect(bestRelease(channel, facts, false).release).toBeNull();
    expect(bestRelease(channel, facts, true).release?.version).toBe('0.9.0');
  });

  it('is never an older one for any channel without permission', () => {
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.array(version, { maxLength: 6 }), version, (versions, installedVersion) => {
        const chosen = bestRelease(
          channelOf(...versions.map((each) => release(each))),
          { ...facts, installedVersion },
          false,
        );
        if (chosen.release !== null) {
          expect(compareVersions(chosen.release.version, installedVersion)).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('an installation', () => {
  const channel = channelOf(release('1.1.0'));
  const decide = (
    over: Partial<UpdateFacts>,
    policy: Partial<UpdatePolicy> = {},
    request: typeof asked | null = null,
  ) => decideUpdate(channel, { ...facts, ...over }, { ...idle, ...policy }, request);

  it('starts by itself only under `idle`', () => {
    expect(decide({}).type).toBe('install');
    expect(decide({}, { install: 'ask' })).toMatchObject({ type: 'offer', reason: 'waits to be asked for' });
    expect(decide({}, { install: 'never' }).type).toBe('offer');
    expect(decide({}, { install: 'ask' }, asked).type).toBe('install');
    expect(decide({}, { install: 'never' }, asked).type).toBe('install');
  });

  it('never interrupts a take unless forced', () => {
    expect(decide({ recording: true })).toMatchObject({ type: 'defer', reason: 'a take is running' });
    expect(decide({ recording: true }, {}, asked).type).toBe('defer');
    expect(decide({ recording: true }, {}, { ...asked, force: true }).type).toBe('install');
  });

  it('never interrupts a trial, even if forced', () => {
    expect(decide({ trialRunning: true }, {}, { ...asked, force: true }).type).toBe('defer');
  });

  it('respects the window when automatic, and waits for a set clock', () => {
    expect(decide({ minuteOfDay: 60 }, { window: '02:00-05:00' }).type).toBe('defer');
    expect(decide({ minuteOfDay: 180 }, { window: '02:00-05:00' }).type).toBe('install');
    expect(decide({ minuteOfDay: null }, { window: '02:00-05:00' }).type).toBe('defer');
    expect(decide({ minuteOfDay: null }, { window: '02:00-05:00' }, asked).type).toBe('install');
  });

  it('does not automatically repeat what failed here', () => {
    expect(decide({ failedVersion: '1.1.0' })).toMatchObject({
      type: 'offer',
      reason: '1.1.0 failed here before',
    });
    expect(decide({ failedVersion: '1.1.0' }, {}, asked).type).toBe('install');
  });
});

describe('stages', () => {
  it('admit about the stated share, and growing it removes nobody', () => {
    const devices = Array.from({ length: 2000 }, (_, index) => `device-${index}`);
    const within = (percent: number) => devices.filter((id) => stagePercentOf(id, '1.1.0') < percent);
    expect(within(10).length).toBeGreaterThan(140);
    expect(within(10).length).toBeLessThan(260);
    expect(within(50)).toEqual(expect.arrayContaining(within(10)));
    expect(within(100)).toEqual(devices);
    expect(within(0)).toEqual([]);
  });

  it('do not hold back an explicit request', () => {
    const channel = channelOf(release('1.1.0', { rolloutPercent: 0 }));
    expect(decideUpdate(channel, facts, idle, null).type).toBe('offer');
    expect(decideUpdate(channel, facts, idle, asked).type).toBe('install');
  });
});

it('a window may extend past midnight', () => {
  expect([isWithin('22:00-04:00', 1380), isWithin('22:00-04:00', 180), isWithin('22:00-04:00', 720)]).toEqual(
    [true, true, false],
  );
  expect([isWithin('02:00-05:00', 120), isWithin('02:00-05:00', 300)]).toEqual([true, false]);
  expect(isWithin('nonsense', 0)).toBe(false);
});
