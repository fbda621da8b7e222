import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { stringify } from 'smol-toml';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { ChildExit, ChildHost } from '../../common/child-host.ts';
import type { CameraRole } from '../camera/camera-role.ts';
import { parseConfig } from '../config/parse.ts';
import { type Config, configSchema } from '../config/schema.ts';
import { Outputs } from '../live/outputs/outputs.ts';
import { GpioPanel } from '../panel/gpio-panel.ts';
import { FakeGpioHeader } from '../platform/gpio.fake.ts';
import { Pipelines } from '../sources/pipelines.ts';
import { Health } from '../system/health.ts';
import { createTlsIdentity } from '../system/tls-identity.ts';
import { pageWanted } from './http-service.ts';
import { Now } from './now.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';

type Toml = Record<string, unknown>;

const folder = mkdtempSync(join(tmpdir(), 'restarts-'));
for (const name of ['a', 'b']) {
  writeFileSync(join(folder, name), name);
  writeFileSync(join(folder, `${name}.pem`), (await createTlsIdentity(name, new Date())).certPem);
}
afterAll(() => rmSync(folder, { recursive: true }));

/** Settings under which every service has something to do. */
const base = {
  role: 'auto',
  name: 'stage',
  camera: { hub: 'http://hub', token_file: 'a', tls_fingerprint: 'aa'.repeat(32) },
  record_button: { gpio: 5 },
  status_light: { gpio: 6 },
  tally_light: { gpio: 13 },
  mqtt: { url: 'mqtt://a', cert_file: 'a', key_file: 'a' },
  gateway: { upstream: 'http://old' },
  http: { cert_file: 'a', key_file: 'a' },
  update: { hawkbit_url: 'http://hawkbit', hawkbit_token_file: 'a' },
} as const;
/** What a source of each kind needs beside its name. */
const needed: Readonly<Record<string, Toml>> = {
  rtsp: { url: 'rtsp://a/1', username: 'a', password_file: 'a' },
  // A file that is copied has a small layer only if the settings say so.
  file: { path: 'a', small: 'on', small_width: 64 },
};
/** What an output needs; its secrets and pins are set, so that their change is seen. */
const output = {
  id: 'cloud',
  feed: 'cam0',
  url: 'https://a/{feed}',
  tls_fingerprint: 'aa'.repeat(32),
  ca_file: 'a.pem',
};
/** Another value, where the schema alone does not lead to one that is seen. */
const others: Readonly<Record<string, unknown>> = {
  role: 'camera',
  name: 'other',
  id: 'other',
  label: 'Other',
  hub: 'http://other',
  upstream: 'http://other',
  hawkbit_url: 'http://other',
  'mqtt.url': 'mqtt://other',
  'update.url': 'http://other',
  'source.url': 'rtsp://other/1',
  'output.url': 'https://other/{feed}',
  'output.ca_file': 'b.pem',
  feed: '*',
  token: 'other',
  tls_fingerprint: 'bb'.repeat(32),
  listen: ['127.0.0.1', '192.0.2.1'],
  addresses: ['192.0.2.1'],
  window: '02:00-05:00',
  channel: 'beta',
  access_point_ssid: 'other',
  discovery_prefix: 'other',
  birth_topic: 'other/status',
  username: 'other',
  device: 'usb-1',
  controls: { gain: 2 },
  mode: '1920:1080',
  roi: [0, 0, 0.5, 0.5],
  encoder: 'software',
  small: 'off',
  'masters.path': '/masters',
  'record_button.gpio': 7,
};

interface Setting {
  readonly path: string;
  /** The list it is in, and of a source the kind that has it. */
  readonly list: 'source' | 'output' | null;
  readonly kind: string | null;
  readonly published: readonly string[];
  readonly schema: z.core.JSONSchema.BaseSchema;
}

/** Every setting with what docs/reference/config.md says of it; both are made from this schema. */
function settings(): Setting[] {
  const root = z.toJSONSchema(configSchema, { io: 'input' });
  const found: Setting[] = [];
  const walk = (
    table: z.core.JSONSchema.BaseSchema,
    prefix: string,
    list: Setting['list'],
    kind: string | null,
  ) => {
    for (const [name, property] of Object.entries(table.properties ?? {})) {
      if (typeof property !== 'object' || name === 'kind' || name === 'config_version') continue;
      const schema: z.core.JSONSchema.BaseSchema = property;
      const path = `${prefix}${name}`;
      // Feeds from elsewhere and cameras that are plugged in have tests of their own.
      if (path === 'remote' || path === 'devices') continue;
      if (path === 'source') {
        const { items } = schema;
        const kinds = typeof items === 'object' && !Array.isArray(items) ? (items.oneOf ?? []) : [];
        for (const one of kinds) {
          const named = typeof one === 'object' ? one.properties?.kind : undefined;
          if (typeof one === 'object' && typeof named === 'object')
            walk(one, 'source.', 'source', String(named.const));
        }
      } else if (path === 'output') {
        const { items } = schema;
        if (typeof items === 'object' && !Array.isArray(items)) walk(items, 'output.', 'output', null);
      } else if (schema.type === 'object' && schema.properties !== undefined)
        walk(schema, `${path}.`, null, null);
      else
        found.push({ path, list, kind, schema, published: (schema.restarts as string[] | undefined) ?? [] });
    }
  };
  walk(root, '', null, null);
  return found;
}

function otherValue({ path, schema }: Setting, now: unknown): unknown {
  const name = path.split('.').at(-1) ?? '';
  if (path in others) return others[path];
  if (name in others) return others[name];
  if (/(_file|^source\.path)$/.test(path)) return 'b';
  const before = now ?? schema.default;
  if (schema.type === 'boolean') return before !== true;
  const choices = schema.enum ?? schema.anyOf?.flatMap((one) => (typeof one === 'object' ? [one.const] : []));
  const choice = choices?.find((one) => one !== undefined && one !== before);
  if (choice !== undefined) return choice;
  if (schema.type !== 'integer' && schema.type !== 'number') throw new Error(`no other value for ${path}`);
  const step = schema.multipleOf ?? 1;
  return typeof before === 'number'
    ? before + (before + step > (schema.maximum ?? Number.POSITIVE_INFINITY) ? -step : step)
    : (schema.minimum ?? 0) + step;
}

function parsed(toml: Toml): Config {
  const result = parseConfig(stringify(toml));
  if (!result.ok) throw new Error(result.problems.map(({ key, message }) => `${key}: ${message}`).join());
  return result.config;
}

function change(toml: Toml, { path, list }: Setting, value: unknown): Toml {
  const [head = '', name = ''] = path.split('.');
  if (name === '') return { ...toml, [head]: value };
  if (list !== null)
    return { ...toml, [list]: (toml[list] as Toml[]).map((one) => ({ ...one, [name]: value })) };
  return { ...toml, [head]: { ...(toml[head] as Toml | undefined), [name]: value } };
}

function read(toml: Toml, { path, list }: Setting): unknown {
  const [head = '', name = ''] = path.split('.');
  const value = list === null ? toml[head] : (toml[list] as Toml[])[0];
  return name === '' ? value : (value as Toml | undefined)?.[name];
}

const camera = (id: string, kind: string, path: string | null) => ({
  id,
  kind,
  path,
  name: id,
  byId: path,
  byPath: null,
  formats: [],
});
const devices = [
  camera('usb-0', 'v4l2', '/dev/video0'),
  camera('usb-1', 'v4l2', '/dev/video1'),
  camera('csi-0', 'libcamera', null),
  camera('csi-1', 'libcamera', null),
];
const video = {
  streams: [{ codec_name: 'h264', width: 640, height: 360, avg_frame_rate: '25/1', pix_fmt: 'yuv420p' }],
  format: { format_name: 'mov,mp4' },
};

/** A running reconciler over fakes of the network, of programs and of the header; it notes what begins and ends. */
function appliance(toml: Toml) {
  const log = pino({ level: 'silent' });
  const noted = new Set<string>();
  let config = parsed(toml);
  const captures = new Set<string>();
  const running = (name: string) => async (signal: AbortSignal) => {
    noted.add(name);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    noted.add(name);
  };
  const host: ChildHost = {
    spawn: async ({ name, argv }, onLine) => {
      const exit = Promise.withResolvers<ChildExit>();
      const done = { code: 0, signal: null };
      const isCapture = name.startsWith('capture-');
      if (isCapture) {
        captures.add(name);
        noted.add('pipelines');
      } else {
        if (argv[0] === 'mkfifo') execFileSync(argv[0], argv.slice(1));
        if (argv[0] === 'ffprobe') onLine?.({ stream: 'stdout', text: JSON.stringify(video) });
        exit.resolve(done);
      }
      const stop = async () => {
        if (captures.delete(name)) noted.add('pipelines');
        exit.resolve(done);
        return await exit.promise;
      };
      return {
        name,
        pid: 1,
        adopted: false,
        exited: exit.promise,
        stop,
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
  const pipelines = new Pipelines({
    host,
    ports: { portOf: async () => 9, keepOnly: async () => {} },
    runFolder: folder,
    configFile: join(folder, 'rushlight.toml'),
    devices: () => devices as never,
    hardwareEncoder: '/dev/video11',
    model: 'PC',
    recording: () => false,
    publishPictures: () => {
      throw new Error('no source sends pictures');
    },
    onLinkRate: () => {},
    onChange: () => {},
    log,
  });
  const header = new FakeGpioHeader();
  const [openInput, openOutput] = [header.openInput.bind(header), header.openOutput.bind(header)];
  const touched = <T>(opened: T): T => {
    noted.add('gpio');
    return opened;
  };
  header.openInput = async (bcm) => touched(await openInput(bcm));
  header.openOutput = async (bcm, initial) => touched(await openOutput(bcm, initial));
  const lines = () => [5, 6, 7, 8, 13, 14, 17, 18].filter((bcm) => header.isOpen(bcm)).join();
  const gpio = new GpioPanel({ header, statusLed: null, onJumper: () => {}, onRecordButton: () => {}, log });
  const seen = { page: '', media: '', outputs: '' };
  const differs = (part: keyof typeof seen, value: unknown) => {
    const text = JSON.stringify(value);
    if (seen[part] !== text) noted.add(part);
    seen[part] = text;
  };
  const http = {
    reach: null as unknown,
    apply: async (now: Config, name: string, role: 'hub' | 'camera') => {
      differs('page', pageWanted(now, name, role));
      const { port, tls, tlsPort, certFile, keyFile } = now.http;
      http.reach = {
        port,
        tlsPort: tls ? tlsPort : null,
        fingerprint: `${certFile}${keyFile}`,
        outside: true,
      };
    },
    close: async () => {},
  };
  const role = {
    current: { role: 'hub', reason: '' },
    decide: async (now: Config) => {
      role.current = { role: now.role === 'camera' ? 'camera' : 'hub', reason: '' };
    },
  };
  const now = new Now();
  const link = { run: running('camera'), pushes: () => [], jpegPushes: () => [] };
  const nothing = { apply: async () => {}, close: async () => {} };
  const outputs = new Outputs({
    configFile: join(folder, 'rushlight.toml'),
    feeds: () => [],
    expected: () => [],
    mediaRuns: () => true,
    figures: () => [],
    reconfigure: async () => {},
    log,
  });
  const options = {
    config: () => config,
    identity: { id: 'x', defaultName: 'stage', version: '1', model: 'PC', serial: null },
    simulation: false,
    role,
    gpio,
    cameras: { known: devices },
    plugged: { sources: async () => {}, decided: [] },
    pipelines,
    controls: nothing,
    remotes: { ...nothing, hasBroken: false },
    outputs,
    still: nothing,
    ports: {},
    media: {
      configure: async (media: unknown) => {
        differs('media', media);
        differs('outputs', [outputs.wanted(), outputs.status().map(({ state }) => state)]);
      },
    },
    jpegPushes: nothing,
    network: { subscribe: () => () => {} },
    http,
    now,
    roles: {
      hub: running('hub'),
      camera: (_config: Config, signal: AbortSignal) => {
        now.become({ kind: 'camera', camera: link as unknown as CameraRole });
        return link.run(signal);
      },
    },
    telemetry: ({ mqtt }: Config) => (mqtt.url === undefined ? null : running('mqtt')),
    announce: () => running('mdns'),
    onApplied: () => {},
    health: new Health(),
    log,
  };
  const reconciler = new Reconciler(options as unknown as ReconcilerOptions);
  const apply = async () => {
    const before = lines();
    await reconciler.apply();
    const wanted = config.source.filter(({ enabled }) => enabled).length;
    await vi.waitFor(() => expect(captures.size).toBe(wanted), { timeout: 5000, interval: 2 });
    await sleep(40);
    if (lines() !== before) noted.add('gpio');
  };
  return {
    apply,
    close: () => reconciler.close(),
    /** What begins or ends as the settings become others. */
    async changeTo(next: Toml): Promise<string[]> {
      noted.clear();
      config = parsed(next);
      await apply();
      return [...noted].sort();
    },
  };
}

describe('docs/reference/config.md says what a change restarts', () => {
  const all = settings();

  test('every setting is looked at', () => {
    expect(all.length).toBeGreaterThan(100);
    expect(new Set(all.map(({ kind }) => kind)).size).toBeGreaterThan(5);
  });

  test('an output that comes or goes touches no other part', async () => {
    const source = [{ id: 'cam0', kind: 'test' }];
    const before = { ...base, source, role: 'auto' };
    const here = appliance(before);
    try {
      await here.apply();
      const one = { ...output, token: 'a' };
      expect(await here.changeTo({ ...before, output: [one] })).toEqual(['outputs']);
      expect(await here.changeTo({ ...before, output: [one, { ...one, id: 'other' }] })).toEqual(['outputs']);
      expect(await here.changeTo(before)).toEqual(['outputs']);
    } finally {
      await here.close();
    }
  });

  test.each(all.map((setting) => [`${setting.kind ?? ''} ${setting.path}`, setting] as const))(
    '%s',
    async (_name, setting) => {
      const { kind, path, list } = setting;
      const source = kind === null ? {} : { source: [{ id: 'cam0', kind, ...needed[kind] }] };
      const secret = path === 'output.token_file' ? { token_file: 'a' } : { token: 'a' };
      const sent = list === 'output' ? { output: [{ ...output, ...secret }] } : {};
      const restarted = new Set<string>();
      // A setting of one role shows what it does in that role.
      for (const role of path === 'role' ? ['auto'] : ['auto', 'camera']) {
        // The announcement names the port of HTTP only where there is no HTTPS.
        const http = path === 'http.port' ? { http: { ...base.http, tls: false } } : {};
        const before = { ...base, ...source, ...sent, ...http, role };
        const here = appliance(before);
        try {
          await here.apply();
          expect(await here.changeTo(before)).toEqual([]);
          const value = otherValue(setting, read(before, setting));
          for (const part of await here.changeTo(change(before, setting, value))) restarted.add(part);
        } finally {
          await here.close();
        }
      }
      expect([...restarted].sort()).toEqual([...setting.published].sort());
    },
  );
});
