import { afterAll, beforeAll, expect, test } from 'vitest';
import { MqttListener } from '../listener.fixture.ts';
import { Mosquitto } from '../mosquitto.fixture.ts';
import { RunningTelemetry } from '../telemetry.fixture.ts';
import { componentsOf, fillCommand, findStateFault } from './ha-check.fixture.ts';

type Component = Readonly<Record<string, unknown>>;

/** What Home Assistant sends for an entity, each payload with the command that must come of it. */
function payloadsOf(component: Component): string[] {
  switch (component.platform) {
    case 'button':
      return [String(component.payload_press ?? 'PRESS')];
    case 'switch':
      return [String(component.payload_on ?? 'ON'), String(component.payload_off ?? 'OFF')];
    case 'select':
      return (component.options as string[]).map((option) =>
        component.command_template === undefined
          ? option
          : fillCommand(String(component.command_template), option),
      );
    case 'number':
      return [component.min, component.max].map((value) =>
        fillCommand(String(component.command_template), value),
      );
    case 'update':
      return [String(component.payload_install)];
    default:
      return [];
  }
}

const expectedCalls: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  role: [
    ['setRole', 'auto'],
    ['setRole', 'hub'],
    ['setRole', 'camera'],
  ],
  identify: [['identify']],
  restart: [['restart', { force: false }]],
  shutdown: [['shutdown', { force: false }]],
  update: [['installUpdate', { force: false, allowDowngrade: false }]],
  rollback: [['rollbackUpdate']],
  camera_rl_20000000cafe0001_update: [['updateCamera', 'rl-20000000cafe0001']],
  rollout_start: [['startRollout', { hub: true }]],
  recording: [['startTake', null], ['stopTake']],
  tally: [
    ['setTally', 'program'],
    ['setTally', 'off'],
  ],
  tally_state: [
    ['setTally', 'off'],
    ['setTally', 'preview'],
    ['setTally', 'program'],
  ],
  adjust_cam0_target_kbps: [
    ['adjust', { source: 'cam0', setting: 'target_kbps', value: 100 }],
    ['adjust', { source: 'cam0', setting: 'target_kbps', value: 100_000 }],
  ],
  adjust_cam0_gain: [
    ['adjust', { source: 'cam0', setting: 'gain', value: 0 }],
    ['adjust', { source: 'cam0', setting: 'gain', value: 255 }],
  ],
  adjust_cam0_auto_exposure: [
    ['adjust', { source: 'cam0', setting: 'auto_exposure', value: 'Manual Mode' }],
    ['adjust', { source: 'cam0', setting: 'auto_exposure', value: 'Aperture Priority Mode' }],
  ],
  adjust_cam0_focus_automatic_continuous: [
    ['adjust', { source: 'cam0', setting: 'focus_automatic_continuous', value: true }],
    ['adjust', { source: 'cam0', setting: 'focus_automatic_continuous', value: false }],
  ],
  feed_cam0_record: [['startTake', ['cam0']], ['stopTake']],
  feed_cam0_take_snapshot: [['snapshot', 'cam0']],
  'feed_cam-left_take_snapshot': [['snapshot', 'cam-left']],
};

let broker: Mosquitto;
let listener: MqttListener;
let running: RunningTelemetry;
let components: Record<string, Component>;

beforeAll(async () => {
  broker = await Mosquitto.start();
  listener = await MqttListener.connect(broker.port);
  running = new RunningTelemetry({ settings: { url: `mqtt://127.0.0.1:${broker.port}` } });
  const document = await listener.until(
    'homeassistant/device/rushlight_rl-10000000deadbeef/config',
    () => true,
  );
  components = componentsOf(JSON.parse(document));
  await listener.until('rushlight/rl-10000000deadbeef/availability', (text) => text === 'online');
  for (const feed of ['cam0', 'cam-left']) {
    await listener.until(`rushlight/rl-10000000deadbeef/feeds/${feed}/snapshot`, () => true);
  }
});
afterAll(async () => {
  await running[Symbol.asyncDispose]();
  await listener[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

test("every entity's topic gets a legal value", async () => {
  const faults: string[] = [];
  for (const [key, component] of Object.entries(components)) {
    if (component.platform === 'button' || component.platform === 'event') continue;
    const topic = String(component.image_topic ?? component.topic ?? component.state_topic);
    const payload = listener.last(topic);
    if (payload === undefined) faults.push(`${key}: nothing on ${topic}`);
    else if (component.platform !== 'image' && component.platform !== 'camera') {
      const fault = findStateFault(component, payload);
      if (fault !== null) faults.push(`${key}: ${fault}`);
    }
    if (listener.last(String(component.availability_topic)) !== 'online')
      faults.push(`${key}: not available`);
  }
  expect(faults).toEqual([]);
});

test('every command is obeyed, with each payload the entity can send', async () => {
  const obeyed: Record<string, unknown[]> = {};
  for (const [key, component] of Object.entries(components)) {
    const topic = component.command_topic;
    for (const payload of payloadsOf(component)) {
      const before = running.commands.calls.length;
      listener.forget();
      await listener.publish(String(topic), payload);
      const answer = await listener.until(String(topic).replace(/\/set$/, '/result'), () => true);
      expect(JSON.parse(answer), `${key} ${payload}`).toMatchObject({ ok: true, code: 'OK' });
      obeyed[key] = [...(obeyed[key] ?? []), ...running.commands.calls.slice(before)];
    }
  }
  expect(obeyed).toEqual(expectedCalls);
});
