import type { Feed, LinkedCamera, SourceStatus, Status, Take } from '../contract/index.ts';
import { keyOf, sourceOfFeed } from './inventory.ts';

/**
 * What `rushlight/<device>/state` carries: figures rounded to what they are worth, in the unit their name ends with.
 * Null means unknown. Keys are stable: scripts and the entities' templates read them.
 */
export type StatePayload = ReturnType<typeof statePayload>;

export function statePayload(status: Status) {
  return {
    name: status.device.name,
    role: status.device.role,
    role_setting: status.device.roleSetting,
    role_reason: status.device.roleReason,
    version: status.device.version,
    health: healthState(status),
    config: configState(status),
    host: hostState(status),
    cameras_waiting: status.newCameras.length,
    hub: status.hub === null ? null : { state: status.hub.state, name: status.hub.name },
    recording: recordingState(status),
    tally: { state: status.tally, on_air: status.tally === 'program' },
    update: {
      state: status.update.state,
      reason: status.update.reason,
      last_outcome: status.update.lastAttempt?.outcome ?? null,
      last_version: status.update.lastAttempt?.version ?? null,
      last_reason: status.update.lastAttempt?.reason ?? null,
      last_at: status.update.lastAttempt?.at ?? null,
    },
    rollout: rolloutState(status),
    feeds: Object.fromEntries(
      status.feeds.map((feed) => [feed.id, feedState(feed, sourceOfFeed(status, feed))]),
    ),
    sources: Object.fromEntries(status.sources.map((source) => [source.id, sourceState(source)])),
    cameras: Object.fromEntries(status.cameras.map((camera) => [keyOf(camera.id), cameraState(camera)])),
  };
}

/** Whoever reads this has it over the link: what the health still says of the link's past would be an alarm about nothing. */
const ownParts: ReadonlySet<string> = new Set(['mqtt', 'mqtt service', 'telemetry']);

function healthState({ health }: Status) {
  const troubled = health.components.filter(({ name, state }) => state !== 'ok' && !ownParts.has(name));
  const reasons = troubled.map(({ name, reason }) => (reason === null ? name : `${name}: ${reason}`));
  const state = troubled.length === 0 ? 'ok' : health.state;
  return { state, problem: state !== 'ok', reasons };
}

function configState({ config }: Status) {
  const errors = config.errors.map(
    ({ line, key, message }) => `line ${line}${key === '' ? '' : `, ${key}`}: ${message}`,
  );
  return { error: errors.length > 0, file: config.file, errors };
}

function rolloutState({ rollout }: Status) {
  if (rollout === null) return null;
  const { phase, version, canary, members } = rollout;
  const part = members.filter(({ state }) => state !== null && state !== 'skipped');
  return {
    phase,
    version,
    // Home Assistant refuses states of more than 255 characters.
    reason: rollout.reason?.slice(0, 255) ?? null,
    canary: members.find(({ id }) => id === canary)?.name ?? null,
    updated: part.filter(({ state }) => state === 'done').length,
    machines: part.length,
  };
}

function hostState({ device, host }: Status) {
  return {
    booted_at: host.bootedAt,
    started_at: device.startedAt,
    cpu_load_percent: rounded(host.cpuLoadPercent, 0),
    temperature_c: rounded(host.temperatureC, 1),
    memory_used_percent: percent(host.memoryUsedBytes, host.memoryTotalBytes),
    clock_synced: host.clock.synced,
    clock_offset_ms: rounded(host.clock.offsetMs, 1),
    power:
      host.power === null
        ? null
        : {
            under_voltage: host.power.underVoltageNow,
            throttled: host.power.throttledNow,
            under_voltage_since_boot: host.power.underVoltageSinceBoot,
            throttled_since_boot: host.power.throttledSinceBoot,
          },
    disks: Object.fromEntries(
      host.disks.map((disk) => [
        keyOf(disk.label === '' ? disk.mount : disk.label),
        {
          free_gb: rounded(disk.freeBytes / 1e9, 2),
          used_percent: percent(disk.totalBytes - disk.freeBytes, disk.totalBytes),
          wear_percent: rounded(disk.wearPercent, 0),
        },
      ]),
    ),
    network: Object.fromEntries(
      host.network
        .filter(({ name }) => name !== 'lo')
        .map((network) => [
          keyOf(network.name),
          {
            address: network.addresses[0] ?? null,
            rx_kbps: rounded(network.rxKbps, 0),
            tx_kbps: rounded(network.txKbps, 0),
            wifi_signal_dbm: rounded(network.wifiSignalDbm, 0),
          },
        ]),
    ),
  };
}

function recordingState({ recording }: Status) {
  const { take } = recording;
  return {
    active: recording.state === 'recording' || recording.state === 'starting',
    state: recording.state,
    remaining_s: rounded(recording.remainingS, 0),
    refused: recording.refusal !== null,
    refusal_code: recording.refusal?.code ?? null,
    refusal: recording.refusal?.message ?? null,
    take_id: take?.id ?? null,
    take_started_at: take?.startedAt ?? null,
    last_verified: lastVerified(take),
    dropped_frames: take === null ? null : sum(take.cameras.map((camera) => camera.droppedFrames)),
    failures:
      take?.cameras
        .filter((camera) => camera.state === 'failed')
        .map((camera) => `${camera.camera}: ${camera.reason ?? 'failed'}`) ?? [],
  };
}

/** Whether the last finished take was verified; null while it runs or where there is none. */
function lastVerified(take: Take | null): boolean | null {
  if (take?.state === 'verified') return true;
  return take?.state === 'failed' ? false : null;
}

function feedState(feed: Feed, source: SourceStatus | null) {
  const live = feed.state !== 'offline';
  return {
    online: feed.state === 'online',
    state: feed.state,
    codec: live ? feed.codec : null,
    width: live ? feed.width : null,
    height: live ? feed.height : null,
    fps: live ? rounded(feed.fps, 1) : null,
    bitrate_kbps: live ? rounded(feed.bitrateKbps, 0) : null,
    loss_percent: live && feed.lossRatio !== null ? rounded(feed.lossRatio * 100, 1) : null,
    latency_ms: live ? rounded(feed.latencyMs, 0) : null,
    viewers: feed.viewers.filter((viewer) => viewer.connected).length,
    camera: feed.publisher?.camera ?? null,
    encoder: source?.encoder?.name ?? null,
    dropped_frames: source?.droppedFrames ?? null,
  };
}

function sourceState(source: SourceStatus) {
  return {
    running: source.state === 'running',
    state: source.state,
    reason: source.reason,
    restarts: source.restarts,
    encoder: source.encoder?.name ?? null,
    dropped_frames: source.droppedFrames,
  };
}

function cameraState(camera: LinkedCamera) {
  return {
    name: camera.name,
    online: camera.online,
    version: camera.version,
    recording: camera.online ? camera.recording : null,
    remaining_s: camera.online ? rounded(camera.remainingS, 0) : null,
    clock_offset_ms: camera.online ? rounded(camera.clockOffsetMs, 1) : null,
  };
}

function rounded(value: number | null, digits: number): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale || 0;
}

function percent(part: number, whole: number): number | null {
  return whole > 0 ? rounded((part / whole) * 100, 0) : null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
