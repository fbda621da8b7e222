import { describe, expect, test } from 'vitest';
import type { Rollout, RolloutMember, Update } from '../contract/index.ts';
import { componentsOf, findStateFault } from './home-assistant/ha-check.fixture.ts';
import { updateStateKeys } from './home-assistant/ha-rules.fixture.ts';
import { MqttListener } from './listener.fixture.ts';
import { Mosquitto } from './mosquitto.fixture.ts';
import { hubStatus, rolloutMember } from './status.fixture.ts';
import { RunningTelemetry } from './telemetry.fixture.ts';
import { cameraUpdatePayloads, updatePayload } from './update-payload.ts';

const base = hubStatus().update;
const at = '2026-11-22T11:30:00.000Z';
const attempt = (outcome: 'committed' | 'rolled-back' | 'failed', reason: string | null) => ({
  version: '1.3.0',
  at,
  outcome,
  reason,
  stages: [],
});

/** What an entity shows: the version installed, the one offered, and the progress while it is busy. */
const shown = (update: Update) => {
  const state = updatePayload(update);
  const progress = state.in_progress ? (state.update_percentage ?? 'busy') : 'still';
  return [state.installed_version, state.latest_version, progress];
};

const whole: Partial<Update>[] = [
  { state: 'idle' },
  { state: 'deferred', reason: 'a take is running' },
  { state: 'downloading', progressPercent: 0 },
  { state: 'downloading', progressPercent: 61.4 },
  { state: 'installing', progressPercent: 99.6 },
  { state: 'armed' },
  { state: 'trial', installedVersion: '1.3.0' },
  { state: 'idle', installedVersion: '1.3.0', lastAttempt: attempt('committed', null) },
];
const failed: Partial<Update>[] = [
  { state: 'downloading', progressPercent: 30 },
  {
    state: 'idle',
    reason: 'the signature is wrong',
    lastAttempt: attempt('failed', 'the signature is wrong'),
  },
];
const rolledBack: Partial<Update>[] = [
  { state: 'installing', progressPercent: 70 },
  { state: 'trial', installedVersion: '1.3.0' },
  {
    state: 'rolled-back',
    installedVersion: '1.2.0',
    reason: 'cam0 gave no frames',
    lastAttempt: attempt('rolled-back', 'cam0 gave no frames'),
  },
];
const replay = (steps: Partial<Update>[]) => steps.map((step): Update => ({ ...base, ...step }));

describe("the update entity's states", () => {
  test('through a whole update', () => {
    expect(replay(whole).map(shown)).toEqual([
      ['1.2.0', '1.3.0', 'still'],
      ['1.2.0', '1.3.0', 'still'],
      ['1.2.0', '1.3.0', 0],
      ['1.2.0', '1.3.0', 61],
      ['1.2.0', '1.3.0', 100],
      ['1.2.0', '1.3.0', 'busy'],
      ['1.3.0', '1.3.0', 'busy'],
      ['1.3.0', '1.3.0', 'still'],
    ]);
  });

  test('through one that failed: still offered, with the reason', () => {
    expect(replay(failed).map(shown).at(-1)).toEqual(['1.2.0', '1.3.0', 'still']);
    expect(replay(failed).map(updatePayload).at(-1)?.release_summary).toMatch(
      /^the signature is wrong\n\nFaster/,
    );
  });

  test('through one that rolled back: the old version, offered again, with the reason', () => {
    expect(replay(rolledBack).map(shown)).toEqual([
      ['1.2.0', '1.3.0', 70],
      ['1.3.0', '1.3.0', 'busy'],
      ['1.2.0', '1.3.0', 'still'],
    ]);
    expect(replay(rolledBack).map(updatePayload).at(-1)?.release_summary).toMatch(/^cam0 gave no frames/);
  });

  test('offers nothing without a newer version, and truncates long notes', () => {
    const update = { ...base, latestVersion: null, releaseNotes: 'x'.repeat(300) };
    expect(updatePayload(update).latest_version).toBe('1.2.0');
    expect(updatePayload(update).release_summary).toHaveLength(255);
  });

  test("of a hub's camera, from its rollout", () => {
    const rollout = (change: Partial<RolloutMember>) => {
      const base = hubStatus().rollout as Rollout;
      return hubStatus({ rollout: { ...base, members: [rolloutMember(change), ...base.members.slice(1)] } });
    };
    const key = 'rl_20000000cafe0001';
    expect(Object.keys(cameraUpdatePayloads(hubStatus()))).toEqual([key]);
    expect(cameraUpdatePayloads(rollout({}))[key]).toMatchObject({
      installed_version: '1.2.0',
      latest_version: '1.3.0',
      in_progress: false,
    });
    const working = rollout({ state: 'updating', busy: true, progressPercent: 41.6 });
    expect(cameraUpdatePayloads(working)[key]).toMatchObject({ in_progress: true, update_percentage: 42 });
    const bad = cameraUpdatePayloads(rollout({ state: 'failed', reason: 'no frames from cam0' }))[key];
    expect(bad).toMatchObject({ in_progress: false, latest_version: '1.3.0' });
    expect(bad?.release_summary).toBe('no frames from cam0\n\nFaster joins.');
    expect(cameraUpdatePayloads(rollout({ installedVersion: null }))).toEqual({});
    expect(cameraUpdatePayloads(hubStatus({ rollout: null }))).toEqual({});
  });

  test('of a camera arrive over the broker, and disappear when it leaves the hub', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: `mqtt://127.0.0.1:${broker.port}` } });
    const topic = 'rushlight/rl-10000000deadbeef/cameras/rl_20000000cafe0001/update/state';
    await listener.until(topic, (text) => text.includes('"latest_version":"1.3.0"'));
    const rollout = hubStatus().rollout as Rollout;
    const members = [rolloutMember({ busy: true, state: 'updating', progressPercent: 7 })];
    running.status.set({ rollout: { ...rollout, members } });
    await listener.until(topic, (text) => text.includes('"update_percentage":7'));
    running.status.set({ rollout: { ...rollout, members: [] } });
    await listener.until(topic, (text) => text === '');
  });

  test('arrive over the broker in order, each legal', async () => {
    await using broker = await Mosquitto.start();
    await using listener = await MqttListener.connect(broker.port);
    await using running = new RunningTelemetry({ settings: { url: `mqtt://127.0.0.1:${broker.port}` } });
    const topic = 'rushlight/rl-10000000deadbeef/update/state';
    const document = await listener.until(
      'homeassistant/device/rushlight_rl-10000000deadbeef/config',
      () => true,
    );
    const component = componentsOf(JSON.parse(document)).update ?? {};
    for (const update of replay([...whole, ...rolledBack])) {
      running.status.set({ update });
      const wanted = JSON.stringify(updatePayload(update));
      await listener.until(topic, (text) => text === wanted);
    }
    for (const { text } of listener.on(topic)) {
      expect(findStateFault(component, text)).toBeNull();
      expect(Object.keys(JSON.parse(text)).every((key) => updateStateKeys.has(key))).toBe(true);
    }
    const state = await listener.until('rushlight/rl-10000000deadbeef/state', (text) =>
      text.includes('"last_outcome":"rolled-back"'),
    );
    expect(JSON.parse(state).update.last_reason).toBe('cam0 gave no frames');
  });
});
