import type { Feed, LinkedCamera, SourceStatus, Status, Take, TakeCamera } from '../../api/contract.ts';

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
  publisher: { kind: 'ingest', camera: null, sinceMs: 140_000 },
  viewers: [],
  ...over,
});

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
  ...over,
});

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

export const takeFixture = (over: Partial<Take> = {}): Take => ({
  id: '20261122t112000-k3f9',
  startedAt: '2026-11-22T11:20:00.000Z',
  stoppedAt: '2026-11-22T11:21:00.000Z',
  state: 'verified',
  cameras: [takeCameraFixture()],
  ...over,
});

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
  cameras: [],
  newCameras: [],
  adoption: null,
  hub: null,
  recording: { state: 'idle', take: null, remainingS: 23_400 },
  tally: 'off',
  update: {
    installedVersion: '0.1.0',
    latestVersion: null,
    releaseNotes: null,
    state: 'unsupported',
    progressPercent: null,
    reason: null,
    slots: [],
    lastAttempt: null,
  },
  ...over,
});
