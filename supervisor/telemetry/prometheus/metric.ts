import type {
  Feed,
  LinkedCamera,
  OutputFlow,
  SourceStatus,
  Status,
  TakeCamera,
} from '../../contract/index.ts';
import type { Labels, MetricFamily, Sample } from './exposition.ts';

/** One metric: its name, its meaning, and how its samples come from the status. */
export interface Metric {
  readonly name: string;
  readonly type: MetricFamily['type'];
  readonly help: string;
  /** Names of the labels, for the documentation. */
  readonly labels: readonly string[];
  readonly samples: (status: Status) => Sample[];
}

/** A metric that goes up and down. */
export const gauge = (
  name: string,
  help: string,
  labels: readonly string[],
  samples: Metric['samples'],
): Metric => ({
  name: `rushlight_${name}`,
  type: 'gauge',
  help,
  labels,
  samples,
});

/** A metric that only goes up. */
export const counter = (...parts: Parameters<typeof gauge>): Metric => ({
  ...gauge(...parts),
  type: 'counter',
});

/** A sample, or none if the figure is unknown. */
export function known(value: number | null | undefined, labels?: Labels, scale = 1): Sample[] {
  if (value === null || value === undefined) return [];
  return [{ value: scaled(value, scale), ...(labels === undefined ? {} : { labels }) }];
}

/** Multiplies by a power of ten without binary rounding errors: 31.6 ms are 0.0316 s. */
function scaled(value: number, scale: number): number {
  return scale === 1 ? value : Number((value * scale).toPrecision(12));
}

/** 1 for true, 0 for false, no sample for unknown. */
export const flag = (value: boolean | null | undefined, labels?: Labels) =>
  known(value === null || value === undefined ? value : Number(value), labels);

/** One sample for each possible state: 1 for the one that holds. */
export const states = (all: readonly string[], state: string, labels: Labels = {}): Sample[] =>
  all.map((item) => ({ labels: { ...labels, state: item }, value: Number(item === state) }));

/** Seconds since 1970. */
export const instant = (text: string | null) =>
  known(text === null ? null : Date.parse(text), undefined, 1e-3);

/** Samples for each feed. */
export const perFeed = (read: (feed: Feed, labels: Labels, status: Status) => Sample[]) => (status: Status) =>
  status.feeds.flatMap((feed) => read(feed, { feed: feed.id }, status));

/** Samples for each source. */
export const perSource = (read: (source: SourceStatus, labels: Labels) => Sample[]) => (status: Status) =>
  status.sources.flatMap((source) => read(source, { source: source.id }));

/** Samples for each linked camera. */
export const perCamera = (read: (camera: LinkedCamera, labels: Labels) => Sample[]) => (status: Status) =>
  status.cameras.flatMap((camera) => read(camera, { camera: camera.name, device: camera.id }));

/** One with every feed has a sample for each. */
export const perOutput = (read: (flow: OutputFlow, labels: Labels) => Sample[]) => (status: Status) =>
  status.outputs.flatMap(({ id, flows }) =>
    flows.flatMap((flow) => read(flow, { output: id, feed: flow.feed })),
  );

/** Two appliances may each have a source of the same id, so a master is named with the appliance that keeps it. */
export const perMaster = (read: (master: TakeCamera, labels: Labels) => Sample[]) => (status: Status) =>
  (status.recording.take?.cameras ?? []).flatMap((master) =>
    read(master, { camera: master.camera, device: master.deviceId ?? master.device ?? status.device.id }),
  );

/** Samples for each disk. */
export const perDisk =
  (read: (disk: Status['host']['disks'][number], labels: Labels) => Sample[]) => (status: Status) =>
    status.host.disks.flatMap((disk) => read(disk, { mount: disk.mount, label: disk.label }));

/** Samples for each network interface. */
export const perNetwork =
  (read: (network: Status['host']['network'][number], labels: Labels) => Sample[]) => (status: Status) =>
    status.host.network.flatMap((network) => read(network, { interface: network.name }));
