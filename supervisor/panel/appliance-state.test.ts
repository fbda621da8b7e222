import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Status } from '../contract/index.ts';
import { cameraStatus } from '../telemetry/status.fixture.ts';
import { type ApplianceState, applianceState, stateSigns } from './appliance-state.ts';

const base = cameraStatus();
const on = (addresses: string[]): Status['host'] => ({
  ...base.host,
  network: [{ name: 'eth0', addresses, rxKbps: 0, txKbps: 0, wifiSignalDbm: null }],
});
const link = { state: 'connected', id: 'h', name: 'hub', url: 'https://hub.local', reason: null } as const;

/** A camera with everything as it should be, and what differs. */
const camera = (differs: Partial<Status>): Status => ({
  ...base,
  device: { ...base.device, role: 'camera' },
  health: { state: 'ok', components: [] },
  host: on(['192.168.1.20']),
  hub: link,
  adoption: null,
  ...differs,
});
const failing: Status['health'] = { state: 'failed', components: [] };
const recording = { state: 'recording', take: null, remainingS: 1, refusal: null } as const;

describe('the state', () => {
  test.each<[ApplianceState, string, Partial<Status>]>([
    ['ready', 'of a camera with its hub', {}],
    ['ready', 'of a hub without a hub', { device: { ...base.device, role: 'hub' }, hub: null }],
    ['ready', 'where something is degraded', { health: { state: 'degraded', components: [] } }],
    ['ready', 'while masters are finished', { recording: { ...recording, state: 'finishing' } }],
    ['no-hub', 'of a camera that searches', { hub: { ...link, state: 'searching' } }],
    ['no-hub', 'of a camera that was refused', { hub: { ...link, state: 'refused' } }],
    ['new', 'of a camera that asks', { adoption: { code: '123456', hubName: 'hub' }, hub: null }],
    ['no-network', 'without an address', { host: on([]) }],
    ['no-network', 'with addresses of its own making', { host: on(['169.254.7.7', 'fe80::1']) }],
    ['access-point', 'in its own network', { host: on(['10.42.0.1', 'fe80::1']), hub: null }],
    ['updating', 'while a slot is written', { update: { ...base.update, state: 'installing' } }],
    ['updating', 'in a trial', { update: { ...base.update, state: 'trial' }, host: on([]) }],
    ['ready', 'while an update is only fetched', { update: { ...base.update, state: 'downloading' } }],
    ['recording', 'of a take', { recording, host: on([]) }],
    ['fault', 'of a take that failed', { recording: { ...recording, state: 'failed' } }],
    ['fault', 'of what failed, also during a take', { recording, health: failing }],
  ])('is %s %s', (state, _, differs) => {
    expect(applianceState(camera(differs))).toBe(state);
  });

  test("knows the access point's address", () => {
    const provision = readFileSync(
      join(import.meta.dirname, '../../image/provision/network-settings.ts'),
      'utf8',
    );
    expect(provision).toContain("accessPointAddress = '10.42.0.1'");
  });
});

describe('the signs', () => {
  const all = Object.entries(stateSigns);

  test('distinguish every state', () => {
    for (const key of ['pattern', 'looks', 'sentence'] as const) {
      expect(new Set(all.map(([, signs]) => JSON.stringify(signs[key]))).size).toBe(all.length);
    }
  });

  test.each(all)('of %s are visible', (_, { pattern }) => {
    const cycleMs = pattern.reduce((sum, ms) => sum + ms, 0);
    expect(cycleMs).toBeLessThanOrEqual(2000);
    expect(Math.min(...pattern)).toBeGreaterThanOrEqual(100);
    // Lit and dark by turns, or lit for good.
    expect(pattern.length === 1 || pattern.length % 2 === 0).toBe(true);
  });

  test('match the manual', () => {
    const manual = readFileSync(join(import.meta.dirname, '../../docs/reference/image.md'), 'utf8');
    for (const [state, { looks }] of all) expect(manual).toContain(`| ${state} | ${looks} |`);
  });
});
