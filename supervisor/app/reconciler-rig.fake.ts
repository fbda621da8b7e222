/** A reconciler whose parts note when they begin and end, so that a test sees what a change of settings restarts. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { stringify } from 'smol-toml';
import { expect, vi } from 'vitest';
import type { ChildExit, ChildHost } from '../../common/child-host.ts';
import type { CameraRole } from '../camera/camera-role.ts';
import { parseConfig } from '../config/parse.ts';
import type { Config } from '../config/schema.ts';
import { Outputs } from '../live/outputs/outputs.ts';
import { GpioPanel } from '../panel/gpio-panel.ts';
import { FakeGpioHeader } from '../platform/gpio.fake.ts';
import { Pipelines } from '../sources/pipelines.ts';
import { Health } from '../system/health.ts';
import { pageWanted } from './http-service.ts';
import { Now } from './now.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';
import type { Toml } from './settings-of-schema.fake.ts';

function parsed(toml: Toml): Config {
  const result = parseConfig(stringify(toml));
  if (!result.ok) throw new Error(result.problems.map(({ key, message }) => `${key}: ${message}`).join());
  return result.config;
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
export function appliance(toml: Toml, folder: string) {
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
