import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cameraStatus, feedStatus, hubStatus, takeStatus } from '../status.fixture.ts';
import { catalogue } from './catalogue.ts';
import { renderFamilies } from './exposition.ts';
import { renderMetrics } from './metrics.ts';
import { renderMetricsDoc } from './metrics-doc.ts';

const docs = new URL('../../../docs/reference/', import.meta.url);
/** A sample line of text format 0.0.4, with its escapes. */
const samplePattern =
  /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?|NaN|[+-]Inf)$/;

function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  let family = '';
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('# HELP ')) continue;
    if (line.startsWith('# TYPE ')) {
      family = line.split(' ')[2] ?? '';
      continue;
    }
    const [, name, labels = '', value] = samplePattern.exec(line) ?? [];
    expect(name, line).toBe(family);
    const id = labels === '' ? family : `${family}{${labels}}`;
    expect(samples.has(id), `${id} twice`).toBe(false);
    samples.set(id, Number(value));
  }
  return samples;
}

describe('metrics', () => {
  test('match the status, in base units', () => {
    const recording = { state: 'recording', take: takeStatus(), remainingS: 5400, refusal: null } as const;
    const samples = samplesOf(renderMetrics(hubStatus({ recording })));
    expect(Object.fromEntries(samples)).toMatchObject({
      rushlight_cpu_load_ratio: 0.124,
      rushlight_cpu_temperature_celsius: 48.26,
      rushlight_boot_time_seconds: Date.parse('2026-11-22T10:00:00Z') / 1000,
      rushlight_clock_offset_seconds: 0.00042,
      'rushlight_disk_wear_ratio{mount="/media/ssd",label="SSD"}': 0.03,
      'rushlight_network_receive_bits_per_second{interface="eth0"}': 12_400_000,
      'rushlight_wifi_signal_dbm{interface="wlan0"}': -61,
      'rushlight_feed_latency_seconds{feed="cam0"}': 0.0316,
      'rushlight_feed_viewers{feed="cam0"}': 1,
      'rushlight_feed_packets_lost_total{feed="cam0"}': 12,
      'rushlight_feed_loss_ratio{feed="cam0"}': 0.004,
      'rushlight_camera_online{camera="left",device="rl-20000000cafe0001"}': 1,
      'rushlight_take_state{state="recording"}': 1,
      'rushlight_take_state{state="idle"}': 0,
      'rushlight_take_dropped_frames{camera="cam0",device="rl-10000000deadbeef"}': 2,
      rushlight_update_available: 1,
    });
    expect(samples.has('rushlight_hub_connected')).toBe(false);
  });

  test('distinguish masters of cameras with one name', () => {
    const { cameras, ...take } = takeStatus();
    const twins = ['id-1', 'id-2'].flatMap((deviceId) =>
      cameras.map((camera) => ({ ...camera, device: 'left', deviceId })),
    );
    const recording = { state: 'recording', remainingS: 1, refusal: null } as const;
    const samples = samplesOf(
      renderMetrics(hubStatus({ recording: { ...recording, take: { ...take, cameras: twins } } })),
    );
    expect(samples.has('rushlight_take_dropped_frames{camera="cam0",device="id-1"}')).toBe(true);
    expect(samples.has('rushlight_take_dropped_frames{camera="cam0",device="id-2"}')).toBe(true);
  });

  test('omit unknown values', () => {
    const { host } = cameraStatus();
    const text = renderMetrics(cameraStatus({ host: { ...host, temperatureC: null, power: null } }));
    const samples = samplesOf(text);
    expect(samples.get('rushlight_hub_connected')).toBe(1);
    expect(text).not.toMatch(/temperature|throttled|under_voltage|rushlight_feed_/);
  });

  test('survive any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (name, mount) => {
        const { device, host } = hubStatus();
        const disks = [
          { mount: mount.replaceAll('\r', ''), label: name, totalBytes: 1, freeBytes: 1, wearPercent: null },
        ];
        const status = { ...hubStatus(), device: { ...device, name }, host: { ...host, disks } };
        expect(samplesOf(renderMetrics(status)).size).toBeGreaterThan(40);
      }),
    );
  });

  test('follow the naming rules of Prometheus', () => {
    for (const { name, type, help } of catalogue) {
      expect(name).toMatch(/^rushlight_[a-z][a-z_]*[a-z]$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).toMatch(/\.$/);
    }
    expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
  });

  test('declare the labels they have', () => {
    const status = hubStatus({
      feeds: [feedStatus()],
      recording: { state: 'recording', take: takeStatus(), remainingS: 1, refusal: null },
    });
    for (const { name, labels, samples } of catalogue) {
      for (const sample of samples(status)) expect(Object.keys(sample.labels ?? {}), name).toEqual(labels);
    }
  });

  test('escape what the format requires', () => {
    const family = {
      name: 'a',
      type: 'gauge',
      help: 'x\\y\nz',
      samples: [{ labels: { l: '"\\\n' }, value: 1 }],
    } as const;
    expect(renderFamilies([family])).toBe('# HELP a x\\\\y\\nz\n# TYPE a gauge\na{l="\\"\\\\\\n"} 1\n');
  });
});

describe('documents', () => {
  test('docs/reference/metrics.md is up to date', async () => {
    expect(await readFile(new URL('metrics.md', docs), 'utf8')).toBe(renderMetricsDoc());
  });

  test('every metric of docs/reference/grafana.json exists', async () => {
    const dashboard = await readFile(new URL('grafana.json', docs), 'utf8');
    const used = new Set(dashboard.match(/rushlight_[a-z_]+/g));
    const known = new Set(catalogue.map(({ name }) => name));
    expect(used.size).toBeGreaterThan(15);
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
    expect(JSON.parse(dashboard)).toMatchObject({ title: 'Rushlight', panels: expect.any(Array) });
  });
});
