import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../contract/index.ts';
import { inventoryOf } from '../inventory.ts';
import { statePayload } from '../state-payload.ts';
import {
  cameraStatus,
  feedStatus,
  hubStatus,
  linkedCamera,
  outputStatus,
  sourceStatus,
} from '../status.fixture.ts';
import { topicsOf } from '../topics.ts';
import { updatePayload } from '../update-payload.ts';
import { discoveryDocument, discoveryInput, readPublished } from './discovery.ts';
import { componentsOf, findDocumentFaults, findStateFault } from './ha-check.fixture.ts';

function documentOf(status: Status) {
  const topics = topicsOf(status.device.id, 'homeassistant');
  const document = discoveryDocument(
    discoveryInput(status, inventoryOf(status), `https://${status.device.name}.local`),
    topics,
    60,
  );
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}

function findStateFaults(status: Status): string[] {
  const state = JSON.stringify(statePayload(status));
  const update = JSON.stringify(updatePayload(status.update));
  return Object.entries(componentsOf(documentOf(status)))
    .filter(([, { platform }]) => !['button', 'camera', 'event', 'image'].includes(String(platform)))
    .map(([key, component]) => {
      const fault = findStateFault(component, component.platform === 'update' ? update : state);
      return fault === null ? null : `${key}: ${fault}`;
    })
    .filter((fault) => fault !== null);
}

const statuses: Record<string, Status> = {
  hub: hubStatus(),
  camera: cameraStatus(),
  'a machine that knows little': hubStatus({
    host: {
      ...hubStatus().host,
      bootedAt: null,
      temperatureC: null,
      power: null,
      disks: [],
      network: [],
      clock: { synced: null, offsetMs: null },
    },
    sources: [],
    feeds: [],
    cameras: [],
    update: { ...hubStatus().update, state: 'unsupported', latestVersion: null, releaseNotes: null },
  }),
};

describe('the document', () => {
  test.each(Object.entries(statuses))('of %s follows all rules', (_, status) => {
    expect(findDocumentFaults(documentOf(status))).toEqual([]);
    expect(findStateFaults(status)).toEqual([]);
  });

  test.each(['hub', 'camera'])('of the %s matches the recording', async (name) => {
    const status = statuses[name] ?? hubStatus();
    await expect(`${JSON.stringify(documentOf(status), null, 2)}\n`).toMatchFileSnapshot(
      `golden/${name}.golden`,
    );
    await expect(`${JSON.stringify(statePayload(status), null, 2)}\n`).toMatchFileSnapshot(
      `golden/${name}-state.golden`,
    );
  });

  test('follows all rules whatever the names', () => {
    const slug = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/);
    const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    const awkward = fc.constantFrom(
      'update',
      'items',
      'get',
      'copy',
      'keys',
      'pop',
      'constructor',
      '__proto__',
    );
    const names = fc.record({
      feeds: fc.uniqueArray(
        fc.oneof(
          slug,
          awkward.filter((name) => /^[a-z]/.test(name)),
        ),
        { maxLength: 4 },
      ),
      sources: fc.uniqueArray(slug, { maxLength: 3 }),
      cameras: fc.uniqueArray(text, { maxLength: 3 }),
      disks: fc.uniqueArray(text, { maxLength: 3 }),
      networks: fc.uniqueArray(text, { maxLength: 3 }),
      outputs: fc.uniqueArray(slug, { maxLength: 3 }),
      id: text,
    });
    fc.assert(
      fc.property(names, ({ feeds, sources, cameras, disks, networks, outputs, id }) => {
        const base = hubStatus();
        const status: Status = {
          ...base,
          device: { ...base.device, id },
          feeds: feeds.map((feed) => feedStatus({ id: feed })),
          sources: sources.map((source) => sourceStatus({ id: source })),
          outputs: outputs.map((output) => outputStatus({ id: output })),
          cameras: cameras.map((camera) => linkedCamera({ id: camera })),
          host: {
            ...base.host,
            disks: disks.map((label) => ({
              mount: '/x',
              label,
              totalBytes: 9,
              freeBytes: 3,
              wearPercent: 1,
            })),
            network: networks.map((name) => ({
              name,
              addresses: [],
              rxKbps: 1,
              txKbps: 1,
              wifiSignalDbm: -50,
            })),
          },
        };
        expect(findDocumentFaults(documentOf(status))).toEqual([]);
        expect(findStateFaults(status)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('of a camera shows each source once', () => {
    const status = cameraStatus({ feeds: [feedStatus(), feedStatus({ id: 'guest' })] });
    const { components } = documentOf(status) as { components: Record<string, { name?: string }> };
    const keys = Object.keys(components);
    expect(keys.filter((key) => key.startsWith('feed_cam0'))).toEqual([]);
    expect(keys).toContain('source_cam0_running');
    expect(keys).toContain('feed_guest_online');
  });

  test('a reading that is missing for a moment removes nothing', () => {
    const before = inventoryOf(hubStatus());
    const { host } = hubStatus();
    const network = host.network.map((item) => ({ ...item, wifiSignalDbm: null }));
    const now = inventoryOf(hubStatus({ host: { ...host, network, power: null } }), before);
    expect(now).toEqual(before);
  });
});

describe('the rules', () => {
  const good = () => documentOf(hubStatus());
  const change = (key: string, options: Record<string, unknown>) => {
    const document = good();
    const components = document.components as Record<string, Record<string, unknown>>;
    return { ...document, components: { ...components, [key]: { ...components[key], ...options } } };
  };

  test.each([
    ['no identifiers', { ...good(), device: { name: 'x' } }],
    ['no origin', { ...good(), origin: {} }],
    ['an unknown key', { ...good(), colour: 'red' }],
    ['an unknown platform', change('cpu_load', { platform: 'gauge' })],
    ['no unique id', change('cpu_load', { unique_id: undefined })],
    ['a wrong unit', change('temperature', { unit_of_measurement: 'bar' })],
    ['a wrong state class', change('temperature', { state_class: 'total_increasing' })],
    ['a wrong device class', change('restart', { device_class: 'reboot' })],
    ['a sensor as config', change('cpu_load', { entity_category: 'config' })],
    ['an option with a slip', change('cpu_load', { unit_of_measurment: '%' })],
    [
      'a template that fails without its feed',
      change('cpu_load', { value_template: "{{ value_json['a']['b'] }}" }),
    ],
    ['an attribute of a dict', change('cpu_load', { value_template: '{{ value_json.update }}' })],
  ])('find %s', (_, document) => {
    expect(findDocumentFaults(document)).not.toEqual([]);
  });

  test.each([
    ['an unknown option', 'role', { role_setting: 'boss' }],
    ['a missing value', 'cpu_load', { host: {} }],
    ['a word for a number', 'cpu_load', { host: { cpu_load_percent: 'much' } }],
    ['no instant', 'last_boot', { host: { booted_at: 'yesterday' } }],
  ])('find %s in a state', (_, key, state) => {
    const component = componentsOf(good())[key] ?? {};
    expect(findStateFault(component, JSON.stringify(state))).not.toBeNull();
  });

  test('find an update that would be dropped', () => {
    const component = componentsOf(good()).update ?? {};
    const state = updatePayload(hubStatus().update);
    expect(findStateFault(component, JSON.stringify(state))).toBeNull();
    expect(findStateFault(component, JSON.stringify({ ...state, error: 'x' }))).toMatch(/unknown key/);
    expect(findStateFault(component, JSON.stringify({ ...state, update_percentage: 101 }))).toMatch(
      /percentage/,
    );
    expect(findStateFault(component, JSON.stringify({ ...state, latest_version: null }))).toMatch(/no text/);
  });
});

describe('reading back', () => {
  test('finds the living entities and omits the removed ones', () => {
    const document = { components: { a: { platform: 'sensor', unique_id: 'x' }, b: { platform: 'sensor' } } };
    expect(readPublished(JSON.stringify(document))).toEqual({ a: { platform: 'sensor', unique_id: 'x' } });
  });

  test('never throws, whatever is stored', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const components = readPublished(text);
        if (components !== null)
          expect(Object.values(components).every((item) => 'platform' in item)).toBe(true);
      }),
    );
    expect(readPublished('{"components":{"a":{"platform":"toaster"}}}')).toBeNull();
  });
});
