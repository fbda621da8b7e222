import type { Feed, LinkedCamera, Output, SourceStatus, Status, Take } from '../contract/index.ts';
import { sourceOfFeed } from './inventory.ts';
import { keyedDisks, keyedNetworks, keyOf } from './item-keys.ts';
import { rounded } from './rounded.ts';
import { droppedOf, failuresOf, takeDetails } from './take-details.ts';

/**
 * Payload of `rushlight/<device>/state`: figures rounded to a useful precision, in the unit their name ends with. Null means
 * unknown. Keys are stable: scripts and the entities' templates read them.
 */
export type StatePayload = ReturnType<typeof statePayload>;

/** @param pageUrl Where a browser finds the page; null if it does not. */
export function statePayload(status: Status, pageUrl: string | null = null) {
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
    take: takeDetails(status.recording.take, pageUrl),
    refusal: refusalDetails(status),
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
      status.feeds.map((feed) => [feed.id, feedState(feed, sourceOfFeed(status, feed), status)]),
    ),
    sources: Object.fromEntries(status.sources.map((source) => [source.id, sourceState(source, status)])),
    adjust: adjustState(status),
    outputs: Object.fromEntries(status.outputs.map((output) => [output.id, outputState(output)])),
    cameras: Object.fromEntries(status.cameras.map((camera) => [keyOf(camera.id), cameraState(camera)])),
  };
}

/** A reader got this over the link, so a past failure of the link in the health would be a false alarm. */
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
    // Home Assistant rejects states of more than 255 characters.
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
      keyedDisks(host.disks).map(({ key, item }) => [
        key,
        {
          free_gb: rounded(item.silentS === undefined ? item.freeBytes / 1e9 : null, 2),
          used_percent: percent(item.totalBytes - item.freeBytes, item.totalBytes),
          wear_percent: rounded(item.wearPercent, 0),
        },
      ]),
    ),
    network: Object.fromEntries(
      keyedNetworks(host.network).map(({ key, item }) => [
        key,
        {
          address: item.addresses[0] ?? null,
          rx_kbps: rounded(item.rxKbps, 0),
          tx_kbps: rounded(item.txKbps, 0),
          wifi_signal_dbm: rounded(item.wifiSignalDbm, 0),
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
    remaining_min: minutes(recording.remainingS),
    refused: recording.refusal !== null,
    refusal_code: recording.refusal?.code ?? null,
    refusal: recording.refusal?.message ?? null,
    take_id: take?.id ?? null,
    take_started_at: take?.startedAt ?? null,
    last_verified: lastVerified(take),
    dropped_frames: take === null ? null : droppedOf(take),
    failures: take === null ? [] : failuresOf(take),
  };
}

function refusalDetails({ recording: { refusal } }: Status) {
  return {
    refusal: refusal?.message ?? null,
    refusal_code: refusal?.code ?? null,
    refused_at: refusal?.at ?? null,
  };
}

/** Whether a camera is recording its part of the take now, or starting to. */
function isRecorded({ recording: { take } }: Status, camera: string): boolean {
  return (
    take?.cameras.some(
      (one) => one.camera === camera && (one.state === 'recording' || one.state === 'starting'),
    ) ?? false
  );
}

function minutes(seconds: number | null): number | null {
  return seconds === null ? null : rounded(Math.floor(seconds / 60), 0);
}

/** Whether the last finished take was verified; null while it runs or if there is none. */
function lastVerified(take: Take | null): boolean | null {
  if (take?.state === 'verified') return true;
  return take?.state === 'failed' ? false : null;
}

function feedState(feed: Feed, source: SourceStatus | null, status: Status) {
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
    recording: isRecorded(status, feed.id),
  };
}

function sourceState(source: SourceStatus, status: Status) {
  return {
    running: source.state === 'running',
    state: source.state,
    reason: source.reason,
    restarts: source.restarts,
    encoder: source.encoder?.name ?? null,
    recording: isRecorded(status, source.id),
  };
}

/** Values of settings by source and id. */
function adjustState({ adjustables }: Status) {
  const sources = [...new Set(adjustables.map(({ source }) => source))];
  return Object.fromEntries(
    sources.map((source) => [
      source,
      Object.fromEntries(adjustables.flatMap((one) => (one.source === source ? [[one.id, one.value]] : []))),
    ]),
  );
}

/** `about` holds what changes seldom: it is what the entity shows as attributes, and each change is a row in a recorder. */
function outputState({ feed, server, state, reason, bitrateKbps, flows }: Output) {
  return {
    connected: state === 'live',
    bitrate_kbps: rounded(bitrateKbps, 0),
    about: {
      state,
      reason,
      feed,
      server,
      feeds_live: flows.filter((flow) => flow.state === 'live').length,
      feeds: flows.length,
    },
  };
}

function cameraState(camera: LinkedCamera) {
  return {
    name: camera.name,
    online: camera.online,
    version: camera.version,
    recording: camera.online ? camera.recording : null,
    remaining_s: camera.online ? rounded(camera.remainingS, 0) : null,
    remaining_min: camera.online ? minutes(camera.remainingS) : null,
    clock_offset_ms: camera.online ? rounded(camera.clockOffsetMs, 1) : null,
  };
}

function percent(part: number, whole: number): number | null {
  return whole > 0 ? rounded((part / whole) * 100, 0) : null;
}
