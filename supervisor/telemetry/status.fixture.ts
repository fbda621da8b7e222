import {
  type Adjustable,
  type Feed,
  type LinkedCamera,
  type Output,
  type RolloutMember,
  type SourceStatus,
  type Status,
  statusSchema,
  type Take,
} from '../contract/index.ts';

/** A hub with two feeds, one linked camera, an SSD and Wi-Fi, as the contract describes it. For tests. */
export function hubStatus(changes: Partial<Status> = {}): Status {
  return statusSchema.parse({
    device: {
      id: 'rl-10000000deadbeef',
      name: 'stage-hub',
      model: 'Raspberry Pi 4 Model B Rev 1.5',
      serial: '10000000deadbeef',
      version: '1.2.0',
      role: 'hub',
      roleSetting: 'auto',
      roleReason: 'the jumper is closed',
      simulation: false,
      startedAt: '2026-11-22T10:00:20.000Z',
      uptimeS: 3600,
    },
    health: { state: 'ok', components: [{ name: 'media', state: 'ok', reason: null }] },
    host: {
      bootedAt: '2026-11-22T10:00:00.000Z',
      cpuLoadPercent: 12.4,
      temperatureC: 48.26,
      memoryUsedBytes: 412e6,
      memoryTotalBytes: 2e9,
      power: {
        underVoltageNow: false,
        throttledNow: false,
        underVoltageSinceBoot: false,
        throttledSinceBoot: false,
      },
      disks: [
        { mount: '/data', label: 'data', totalBytes: 32e9, freeBytes: 20e9, wearPercent: null },
        { mount: '/media/ssd', label: 'SSD', totalBytes: 1e12, freeBytes: 6.4e11, wearPercent: 3 },
      ],
      network: [
        { name: 'eth0', addresses: ['192.0.2.10'], rxKbps: 12_400, txKbps: 33_000, wifiSignalDbm: null },
        { name: 'wlan0', addresses: ['192.0.2.11'], rxKbps: 10, txKbps: 4, wifiSignalDbm: -61 },
      ],
      clock: { synced: true, offsetMs: 0.42 },
    },
    config: { file: '/boot/rushlight.toml', errors: [] },
    sources: [sourceStatus()],
    feeds: [
      feedStatus(),
      feedStatus({
        id: 'cam-left',
        label: 'Left',
        publisher: { kind: 'whip', camera: 'left', sinceMs: 9000 },
      }),
    ],
    outputs: [outputStatus()],
    adjustables: [
      adjustable(),
      adjustable({ id: 'gain', label: 'Stage gain', value: 30, min: 0, max: 255, step: 1, unit: null }),
      adjustable({ id: 'auto_exposure', label: 'Stage auto exposure', kind: 'choice', ...choice }),
      adjustable({ id: 'focus_automatic_continuous', label: 'Stage autofocus', kind: 'switch', ...onOff }),
    ],
    cameras: [linkedCamera()],
    newCameras: [],
    adoption: null,
    hub: null,
    recording: { state: 'idle', take: null, remainingS: 5400, refusal: null },
    masters: { folder: '/media/ssd/takes', reason: 'the SSD' },
    tally: 'off',
    update: {
      installedVersion: '1.2.0',
      compatible: 'rushlight-raspberrypi-arm64',
      latestVersion: '1.3.0',
      releaseNotes: 'Faster joins.',
      state: 'idle',
      progressPercent: null,
      reason: null,
      slots: [
        { name: 'A', booted: true, state: 'good', version: '1.2.0' },
        { name: 'B', booted: false, state: 'good', version: '1.1.0' },
      ],
      lastAttempt: null,
    },
    mqtt: null,
    rollout: {
      available: {
        version: '1.3.0',
        notes: 'Faster joins.',
        compatible: 'rushlight-raspberrypi-arm64',
        sizeBytes: 276e6,
      },
      version: null,
      startedAt: null,
      phase: 'none',
      reason: null,
      canary: null,
      cachingPercent: null,
      members: [
        rolloutMember(),
        rolloutMember({ id: 'rl-10000000deadbeef', name: 'stage-hub', role: 'hub' }),
      ],
    },
    ...changes,
  } satisfies Status);
}

/** A camera that belongs to the hub above. */
export function cameraStatus(changes: Partial<Status> = {}): Status {
  const hub = hubStatus();
  return hubStatus({
    device: {
      ...hub.device,
      id: 'rl-20000000cafe0001',
      name: 'left',
      model: 'Raspberry Pi Zero 2 W Rev 1.0',
      serial: '20000000cafe0001',
      role: 'camera',
      roleReason: 'the jumper is open',
    },
    feeds: [],
    outputs: [],
    adjustables: [],
    cameras: [],
    mqtt: null,
    rollout: null,
    hub: {
      state: 'connected',
      id: hub.device.id,
      name: 'stage-hub',
      url: 'https://stage-hub.local',
      reason: null,
    },
    ...changes,
  });
}

/** A member of a rollout, with changes. */
export function rolloutMember(changes: Partial<RolloutMember> = {}): RolloutMember {
  return {
    id: 'rl-20000000cafe0001',
    name: 'left',
    role: 'camera',
    online: true,
    installedVersion: '1.2.0',
    latestVersion: '1.3.0',
    releaseNotes: 'Faster joins.',
    state: null,
    busy: false,
    progressPercent: null,
    reason: null,
    ...changes,
  };
}

/** A feed, with changes. */
export function feedStatus(changes: Partial<Feed> = {}): Feed {
  return {
    id: 'cam0',
    label: 'Stage',
    state: 'online',
    codec: 'avc1.42e01f',
    audioCodec: null,
    width: 1920,
    height: 1080,
    fps: 29.97,
    bitrateKbps: 5980.4,
    framesTotal: 107_892,
    packetsLost: 12,
    lossRatio: 0.004,
    latencyMs: 31.6,
    reason: null,
    keyframeAgeMs: 420,
    layers: [],
    publisher: { kind: 'ingest', camera: null, sinceMs: 3_590_000 },
    viewers: [
      {
        id: 'v1',
        connected: true,
        layer: 'high',
        paused: false,
        bitrateKbps: 5980,
        lossRatio: 0,
        rttMs: 3,
        skippedFrames: 0,
      },
      {
        id: 'v2',
        connected: false,
        layer: 'high',
        paused: false,
        bitrateKbps: 0,
        lossRatio: null,
        rttMs: null,
        skippedFrames: 4,
      },
    ],
    ...changes,
  };
}

const none = { min: null, max: null, step: null, unit: null };
const choice = { ...none, value: 'Manual Mode', choices: ['Manual Mode', 'Aperture Priority Mode'] };
const onOff = { ...none, value: true };

function adjustable(changes: Partial<Adjustable> = {}): Adjustable {
  return {
    source: 'cam0',
    id: 'target_kbps',
    label: 'Stage target bit rate',
    kind: 'number',
    value: 6000,
    min: 100,
    max: 100_000,
    step: 100,
    unit: 'kbit/s',
    choices: [],
    ...changes,
  };
}

/** An output, with changes. */
export function outputStatus(changes: Partial<Output> = {}): Output {
  return {
    id: 'cloud',
    label: 'Cloud',
    feed: 'cam0',
    server: 'https://live.example.com',
    state: 'live',
    reason: null,
    bitrateKbps: 5990.2,
    since: '2026-11-22T11:00:00.000Z',
    flows: [
      {
        feed: 'cam0',
        state: 'live',
        reason: null,
        bitrateKbps: 5990.2,
        retryAt: null,
        connections: 2,
        lossRatio: 0.002,
        rttMs: 24,
        skippedFrames: 0,
      },
    ],
    ...changes,
  };
}

/** A source, with changes. */
export function sourceStatus(changes: Partial<SourceStatus> = {}): SourceStatus {
  return {
    id: 'cam0',
    kind: 'rpicam',
    label: 'Stage',
    state: 'running',
    reason: null,
    restarts: 0,
    encoder: { name: 'h264_v4l2m2m', reason: 'the board encodes in hardware' },
    droppedFrames: 3,
    ...changes,
  };
}

/** A linked camera, with changes. */
export function linkedCamera(changes: Partial<LinkedCamera> = {}): LinkedCamera {
  return {
    id: 'rl-20000000cafe0001',
    name: 'left',
    version: '1.2.0',
    address: '192.0.2.20',
    online: true,
    lastSeenAt: '2026-11-22T11:00:00.000Z',
    sources: [sourceStatus({ droppedFrames: 0 })],
    recording: 'idle',
    remainingS: 7200,
    clockOffsetMs: -1.2,
    clockUncertaintyMs: 1.4,
    update: {
      compatible: 'rushlight-raspberrypi-arm64',
      state: 'idle',
      progressPercent: null,
      reason: null,
      lastAttempt: null,
    },
    ...changes,
  };
}

/** A take, with changes. */
export function takeStatus(changes: Partial<Take> = {}): Take {
  return {
    id: '20261122t110000z-ab12',
    startedAt: '2026-11-22T11:00:00.000Z',
    stoppedAt: null,
    state: 'recording',
    cameras: [
      {
        camera: 'cam0',
        device: null,
        state: 'recording',
        reason: null,
        frames: 300,
        droppedFrames: 2,
        sizeBytes: 9_000_000,
        segments: 1,
        verified: false,
      },
    ],
    ...changes,
  };
}
