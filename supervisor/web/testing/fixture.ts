import type {
  Device,
  DeviceControl,
  Feed,
  LinkedCamera,
  Output,
  SourceStatus,
  Status,
  Take,
  TakeCamera,
} from '../../contract/index.ts';

/** A feed, with changes. */
export const feedFixture = (over: Partial<Feed> = {}): Feed => ({
  id: 'cam0',
  label: 'Test picture',
  state: 'online',
  codec: 'avc1.42e01f',
  audioCodec: null,
  width: 1280,
  height: 720,
  fps: 30,
  bitrateKbps: 3120,
  framesTotal: 4211,
  packetsLost: 0,
  lossRatio: 0,
  latencyMs: 2,
  reason: null,
  keyframeAgeMs: 640,
  layers: [],
  publisher: { kind: 'ingest', camera: null, sinceMs: 140_000 },
  viewers: [],
  ...over,
});

/** An output, with changes. */
export const outputFixture = (over: Partial<Output> = {}): Output => ({
  id: 'cloud',
  label: 'Cloud',
  feed: 'cam0',
  server: 'https://live.example.com',
  state: 'live',
  reason: null,
  bitrateKbps: 3110,
  since: '2026-11-22T11:10:00.000Z',
  flows: [
    {
      feed: 'cam0',
      state: 'live',
      reason: null,
      bitrateKbps: 3110,
      retryAt: null,
      connections: 1,
      lossRatio: 0,
      rttMs: 18,
      skippedFrames: 0,
    },
  ],
  ...over,
});

/** A source, with changes. */
export const sourceFixture = (over: Partial<SourceStatus> = {}): SourceStatus => ({
  id: 'cam0',
  kind: 'test',
  label: 'Test picture',
  state: 'running',
  reason: null,
  restarts: 0,
  droppedFrames: 0,
  encoder: { name: 'libx264', reason: 'This machine has no hardware encoder.' },
  ...over,
});

/** A linked camera, with changes. */
export const cameraFixture = (over: Partial<LinkedCamera> = {}): LinkedCamera => ({
  id: 'a1b2c3',
  name: 'stage-left',
  version: '0.1.0',
  address: '192.168.7.21',
  online: true,
  lastSeenAt: '2026-11-22T11:30:00.000Z',
  sources: [sourceFixture({ kind: 'rpicam', label: 'Camera Module 3' })],
  recording: 'idle',
  remainingS: 11_520,
  clockOffsetMs: 0.4,
  clockUncertaintyMs: 1.2,
  update: null,
  ...over,
});

/** A camera's part of a take, with changes. */
export const takeCameraFixture = (over: Partial<TakeCamera> = {}): TakeCamera => ({
  camera: 'cam0',
  device: null,
  state: 'verified',
  reason: null,
  frames: 1804,
  droppedFrames: 0,
  sizeBytes: 812_000_000,
  segments: 1,
  verified: true,
  ...over,
});

/** A take, with changes. */
export const takeFixture = (over: Partial<Take> = {}): Take => ({
  id: '20261122t112000-k3f9',
  startedAt: '2026-11-22T11:20:00.000Z',
  stoppedAt: '2026-11-22T11:21:00.000Z',
  state: 'verified',
  cameras: [takeCameraFixture()],
  ...over,
});

/** A status, with changes. */
export const statusFixture = (over: Partial<Status> = {}): Status => ({
  device: {
    id: 'd00d',
    name: 'rushlight-d00d',
    model: 'Simulation',
    serial: null,
    version: '0.1.0',
    role: 'hub',
    roleSetting: 'hub',
    roleReason: 'role = "hub" in rushlight.toml',
    simulation: true,
    startedAt: '2026-11-22T11:00:00.000Z',
    uptimeS: 1800,
  },
  health: { state: 'ok', components: [{ name: 'media', state: 'ok', reason: null }] },
  host: {
    bootedAt: '2026-11-22T10:58:00.000Z',
    cpuLoadPercent: 21,
    temperatureC: 52,
    memoryUsedBytes: 1_200_000_000,
    memoryTotalBytes: 4_000_000_000,
    power: null,
    disks: [
      {
        mount: '/data',
        label: 'data',
        totalBytes: 1_000_000_000_000,
        freeBytes: 612_000_000_000,
        wearPercent: 3,
      },
    ],
    network: [
      { name: 'eth0', addresses: ['192.168.7.20'], rxKbps: 12_400, txKbps: 31_000, wifiSignalDbm: null },
    ],
    clock: { synced: true, offsetMs: 0.2 },
  },
  config: { file: '/boot/rushlight/rushlight.toml', errors: [] },
  sources: [sourceFixture()],
  feeds: [feedFixture()],
  outputs: [],
  adjustables: [],
  cameras: [],
  newCameras: [],
  adoption: null,
  hub: null,
  recording: { state: 'idle', take: null, remainingS: 23_400, refusal: null },
  masters: { folder: '/media/ssd/takes', reason: 'the SSD' },
  tally: 'off',
  update: {
    installedVersion: '0.1.0',
    compatible: null,
    latestVersion: null,
    releaseNotes: null,
    state: 'unsupported',
    progressPercent: null,
    reason: null,
    slots: [],
    lastAttempt: null,
  },
  mqtt: null,
  rollout: null,
  ...over,
});

/** A control, with changes. */
export const controlFixture = (over: Partial<DeviceControl> = {}): DeviceControl => ({
  id: 'gain',
  label: 'Gain',
  kind: 'integer',
  min: 0,
  max: 255,
  step: 1,
  default: 0,
  value: 64,
  menu: [],
  inactive: false,
  ...over,
});

/** A plugged-in camera, with changes. */
export const deviceFixture = (over: Partial<Device> = {}): Device => ({
  id: 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF',
  name: 'HD Pro Webcam C920',
  kind: 'v4l2',
  driver: 'uvcvideo',
  bus: 'usb-0000:01:00.0-1.2',
  path: '/dev/video0',
  byId: '/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_CD5AF2DF-video-index0',
  byPath: null,
  serial: 'CD5AF2DF',
  formats: [
    {
      fourcc: 'H264',
      description: 'H.264, compressed',
      compressed: true,
      sizes: [
        { width: 1280, height: 720, fps: [30, 24, 15] },
        { width: 1920, height: 1080, fps: [30, 24, 15] },
      ],
    },
    {
      fourcc: 'YUYV',
      description: 'YUYV 4:2:2',
      compressed: false,
      sizes: [{ width: 640, height: 480, fps: [30] }],
    },
  ],
  controls: [
    controlFixture({ id: 'brightness', label: 'Brightness', default: 128, value: 128 }),
    controlFixture({
      id: 'white_balance_automatic',
      label: 'White balance automatic',
      kind: 'boolean',
      min: null,
      max: null,
      step: null,
      default: true,
      value: true,
    }),
    controlFixture(),
    controlFixture({
      id: 'auto_exposure',
      label: 'Auto exposure',
      kind: 'menu',
      min: 0,
      max: 3,
      step: null,
      default: 3,
      value: 3,
      menu: [
        { value: 1, label: 'Manual Mode' },
        { value: 3, label: 'Aperture Priority Mode' },
      ],
    }),
    controlFixture({
      id: 'exposure_time_absolute',
      label: 'Exposure time absolute',
      min: 3,
      max: 2047,
      default: 250,
      value: 250,
      inactive: true,
    }),
    controlFixture({ id: 'focus_absolute', label: 'Focus absolute', max: 250, step: 5, value: 0 }),
  ],
  busy: false,
  note: null,
  source: null,
  label: 'HD Pro Webcam C920',
  use: 'offered',
  ...over,
});
