import { statesOf } from '../states.ts';
import {
  counter,
  flag,
  gauge,
  instant,
  known,
  type Metric,
  perCamera,
  perDisk,
  perFeed,
  perMaster,
  perNetwork,
  perOutput,
  perSource,
  states,
} from './metric.ts';

const appliance: readonly Metric[] = [
  gauge(
    'info',
    'Always 1; the labels say what this is.',
    ['device', 'name', 'model', 'version', 'role'],
    (status) => {
      const { id, name, model, version, role } = status.device;
      return [{ labels: { device: id, name, model, version, role }, value: 1 }];
    },
  ),
  gauge('start_time_seconds', 'When the supervisor started, in seconds since 1970.', [], ({ device }) =>
    instant(device.startedAt),
  ),
  gauge('health_state', '1 for the state that the appliance is in.', ['state'], ({ health }) =>
    states(statesOf.health, health.state),
  ),
  gauge('component_healthy', '1 if a component is healthy.', ['component'], ({ health }) =>
    health.components.map(({ name, state }) => ({
      labels: { component: name },
      value: Number(state === 'ok'),
    })),
  ),
  gauge('config_errors', 'Errors in rushlight.toml.', [], ({ config }) => known(config.errors.length)),
  gauge('hub_connected', 'On a camera: 1 while it is connected to its hub.', [], ({ hub }) =>
    hub === null ? [] : flag(hub.state === 'connected'),
  ),
  gauge('tally_state', '1 for the state of the tally light.', ['state'], ({ tally }) =>
    states(statesOf.tally, tally),
  ),
];

const host: readonly Metric[] = [
  gauge('boot_time_seconds', 'When the kernel started, in seconds since 1970.', [], (status) =>
    instant(status.host.bootedAt),
  ),
  gauge('cpu_load_ratio', 'Share of CPU time in use, over all cores.', [], (status) =>
    known(status.host.cpuLoadPercent, undefined, 1e-2),
  ),
  gauge('cpu_temperature_celsius', 'Temperature of the processor.', [], (status) =>
    known(status.host.temperatureC),
  ),
  gauge('memory_used_bytes', 'Memory in use, without caches.', [], (status) =>
    known(status.host.memoryUsedBytes),
  ),
  gauge('memory_total_bytes', 'Total memory.', [], (status) => known(status.host.memoryTotalBytes)),
  gauge('under_voltage', '1 while the supply voltage is too low.', [], (status) =>
    flag(status.host.power?.underVoltageNow),
  ),
  gauge('throttled', '1 while the firmware slows the processor down.', [], (status) =>
    flag(status.host.power?.throttledNow),
  ),
  gauge('under_voltage_since_boot', '1 if the supply voltage has been too low since boot.', [], (status) =>
    flag(status.host.power?.underVoltageSinceBoot),
  ),
  gauge('throttled_since_boot', '1 if the processor has been slowed down since boot.', [], (status) =>
    flag(status.host.power?.throttledSinceBoot),
  ),
  gauge('clock_synced', '1 while the clock follows a time server.', [], (status) =>
    flag(status.host.clock.synced),
  ),
  gauge('clock_offset_seconds', 'How far the clock is off, according to its time source.', [], (status) =>
    known(status.host.clock.offsetMs, undefined, 1e-3),
  ),
  gauge(
    'disk_free_bytes',
    'Free space of a disk.',
    ['mount', 'label'],
    perDisk((disk, labels) => known(disk.freeBytes, labels)),
  ),
  gauge(
    'disk_total_bytes',
    'Size of a disk.',
    ['mount', 'label'],
    perDisk((disk, labels) => known(disk.totalBytes, labels)),
  ),
  gauge(
    'disk_wear_ratio',
    'Worn share of a disk, according to SMART.',
    ['mount', 'label'],
    perDisk((disk, labels) => known(disk.wearPercent, labels, 1e-2)),
  ),
  gauge(
    'network_receive_bits_per_second',
    'Rate at which an interface receives.',
    ['interface'],
    perNetwork((network, labels) => known(network.rxKbps, labels, 1e3)),
  ),
  gauge(
    'network_transmit_bits_per_second',
    'Rate at which an interface sends.',
    ['interface'],
    perNetwork((network, labels) => known(network.txKbps, labels, 1e3)),
  ),
  gauge(
    'wifi_signal_dbm',
    'Strength of the Wi-Fi signal.',
    ['interface'],
    perNetwork((network, labels) => known(network.wifiSignalDbm, labels)),
  ),
];

const feeds: readonly Metric[] = [
  gauge(
    'feed_online',
    '1 while frames of a feed arrive.',
    ['feed'],
    perFeed((feed, labels) => flag(feed.state === 'online', labels)),
  ),
  gauge(
    'feed_frames_per_second',
    'Frame rate of a feed.',
    ['feed'],
    perFeed((feed, labels) => known(feed.fps, labels)),
  ),
  gauge(
    'feed_bits_per_second',
    'Bit rate of a feed as it arrives.',
    ['feed'],
    perFeed((feed, labels) => known(feed.bitrateKbps, labels, 1e3)),
  ),
  counter(
    'feed_frames_total',
    'Frames of a feed that arrived.',
    ['feed'],
    perFeed((feed, labels) => known(feed.framesTotal, labels)),
  ),
  counter(
    'feed_packets_lost_total',
    'Packets of a feed that were lost on the way in.',
    ['feed'],
    perFeed((feed, labels) => known(feed.packetsLost, labels)),
  ),
  gauge(
    'feed_loss_ratio',
    'Loss of a feed on the way in over the last seconds.',
    ['feed'],
    perFeed((feed, labels) => known(feed.lossRatio, labels)),
  ),
  gauge(
    'feed_latency_seconds',
    'From capture to arrival here.',
    ['feed'],
    perFeed((feed, labels) => known(feed.latencyMs, labels, 1e-3)),
  ),
  gauge(
    'feed_keyframe_age_seconds',
    'Age of the newest keyframe of a feed.',
    ['feed'],
    perFeed((feed, labels) => known(feed.keyframeAgeMs, labels, 1e-3)),
  ),
  gauge(
    'feed_viewers',
    'Connected viewers of a feed.',
    ['feed'],
    perFeed((feed, labels) => known(feed.viewers.filter((viewer) => viewer.connected).length, labels)),
  ),
];

const outputs: readonly Metric[] = [
  gauge(
    'output_live',
    '1 while a feed reaches the server of an output.',
    ['output', 'feed'],
    perOutput((flow, labels) => flag(flow.state === 'live', labels)),
  ),
  gauge(
    'output_bits_per_second',
    'Bit rate of a feed on its way to the server of an output.',
    ['output', 'feed'],
    perOutput((flow, labels) => known(flow.bitrateKbps, labels, 1e3)),
  ),
  gauge(
    'output_loss_ratio',
    'Loss on the way to the server of an output, as the server reports it.',
    ['output', 'feed'],
    perOutput((flow, labels) => known(flow.lossRatio, labels)),
  ),
  counter(
    'output_connections_total',
    'Connections to the server of an output since the media process started.',
    ['output', 'feed'],
    perOutput((flow, labels) => known(flow.connections, labels)),
  ),
];

const sources: readonly Metric[] = [
  gauge(
    'source_running',
    '1 while a source of this machine runs.',
    ['source'],
    perSource((source, labels) => flag(source.state === 'running', labels)),
  ),
  counter(
    'source_restarts_total',
    'Restarts of a source since the supervisor started.',
    ['source'],
    perSource((source, labels) => known(source.restarts, labels)),
  ),
  gauge(
    'camera_online',
    'On a hub: 1 while a camera is linked.',
    ['camera', 'device'],
    perCamera((camera, labels) => flag(camera.online, labels)),
  ),
  gauge(
    'camera_clock_offset_seconds',
    "On a hub: how far a camera's clock is off.",
    ['camera', 'device'],
    perCamera((camera, labels) => known(camera.clockOffsetMs, labels, 1e-3)),
  ),
];

const takes: readonly Metric[] = [
  gauge('take_state', '1 for the state that recording is in.', ['state'], ({ recording }) =>
    states(statesOf.take, recording.state),
  ),
  gauge('recording_remaining_seconds', 'How long the disk lasts at the current rate.', [], ({ recording }) =>
    known(recording.remainingS),
  ),
  gauge(
    'take_frames',
    'Frames in the master of the running or last take.',
    ['camera', 'device'],
    perMaster((master, labels) => known(master.frames, labels)),
  ),
  gauge(
    'take_dropped_frames',
    'Frames missing from the master of that take.',
    ['camera', 'device'],
    perMaster((master, labels) => known(master.droppedFrames, labels)),
  ),
  gauge(
    'take_verified',
    '1 if the master of that take was verified.',
    ['camera', 'device'],
    perMaster((master, labels) => flag(master.verified, labels)),
  ),
];

const updates: readonly Metric[] = [
  gauge('update_state', '1 for the state that updates are in.', ['state'], ({ update }) =>
    states(statesOf.update, update.state),
  ),
  gauge('update_available', '1 if a version other than the installed one is available.', [], ({ update }) =>
    flag(update.latestVersion === null ? null : update.latestVersion !== update.installedVersion),
  ),
];

/** All metrics, in the order of docs/reference/metrics.md. */
export const catalogue: readonly Metric[] = [
  ...appliance,
  ...host,
  ...feeds,
  ...outputs,
  ...sources,
  ...takes,
  ...updates,
];
