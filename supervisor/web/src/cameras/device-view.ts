import type { Device, DeviceFormat, SourceStatus, Status, UnpluggedDevice } from '../../../contract/index.ts';

/** State of a camera on the page. */
export type DeviceState = SourceStatus['state'] | 'offered' | 'unused' | 'busy' | 'unusable' | 'unplugged';

/** One camera of this machine, as the page shows it. */
export interface DeviceView {
  readonly id: string;
  readonly label: string;
  readonly state: DeviceState;
  /** The problem, or what the camera waits for, and what to do about it. */
  readonly reason: string | null;
  /** Null while it is unplugged. */
  readonly device: Device | null;
  readonly source: SourceStatus | null;
}

/** Each state in a word. */
export const deviceStateNames: Readonly<Record<DeviceState, string>> = {
  starting: 'starting',
  running: 'live',
  stalled: 'stalled',
  waiting: 'waiting',
  stopped: 'stopped',
  offered: 'new',
  unused: 'not used',
  busy: 'in use elsewhere',
  unusable: 'cannot be used',
  unplugged: 'unplugged',
};

/** Sources whose picture is made on this machine. */
const localKinds: ReadonlySet<SourceStatus['kind']> = new Set(['v4l2', 'rpicam', 'test']);

const order: readonly DeviceState[] = ['offered', 'unplugged', 'unusable'];
const rank = ({ state }: DeviceView): number => {
  const at = order.indexOf(state);
  // Cameras that wait for a person come first; unusable ones last.
  return at === 0 ? 0 : at < 0 ? 1 : at + 1;
};

const closeOther = 'Another program has it open. Close that program, then use the camera here.';

const stateOf = (device: Device, source: SourceStatus | null): Pick<DeviceView, 'state' | 'reason'> => {
  if (device.note !== null) return { state: 'unusable', reason: sentence(device.note) };
  if (source !== null) return { state: source.state, reason: source.reason };
  if (device.source !== null) return { state: 'starting', reason: null };
  if (device.busy) return { state: 'busy', reason: closeOther };
  return { state: device.use === 'offered' ? 'offered' : 'unused', reason: null };
};

const sentence = (text: string): string => {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
};

/** Cameras of this machine: those that are plugged in, those that were used and are unplugged, and sources without one. */
export const deviceViews = (
  status: Status,
  devices: readonly Device[],
  unplugged: readonly UnpluggedDevice[],
): DeviceView[] => {
  const sourceOf = (id: string | null) => status.sources.find((source) => source.id === id) ?? null;
  const here = devices.map((device): DeviceView => {
    const source = sourceOf(device.source);
    return { id: device.id, label: device.label, device, source, ...stateOf(device, source) };
  });
  const away = unplugged
    .filter(({ id }) => !devices.some((device) => device.id === id))
    .map(({ id, label, feed }): DeviceView => {
      const reason = `Plug it in again, in any port: the feed “${feed}” continues.`;
      return { id, label, state: 'unplugged', reason, device: null, source: null };
    });
  const used = new Set(here.map(({ source }) => source?.id));
  const others = status.sources
    .filter(({ id, kind }) => localKinds.has(kind) && !used.has(id))
    .map((source): DeviceView => {
      const { id, label, state, reason } = source;
      return { id: `source ${id}`, label, state, reason, device: null, source };
    });
  return [...here, ...others, ...away].toSorted((a, b) => rank(a) - rank(b));
};

/** Cameras that wait for a person's choice. */
export const offeredDevices = (devices: readonly Device[] | null): readonly Device[] =>
  (devices ?? []).filter(({ use, note }) => use === 'offered' && note === null);

const formatNames: Readonly<Record<string, string>> = { MJPG: 'MJPEG', YUYV: 'YUYV', H264: 'H.264' };

/** A pixel format for people. */
export const formatName = (fourcc: string): string => formatNames[fourcc] ?? fourcc;

const area = ({ width, height }: { width: number; height: number }) => width * height;

const compressedFirst = (a: DeviceFormat, b: DeviceFormat) => Number(b.compressed) - Number(a.compressed);

/** `1920×1080 at 30 fps` per format: the largest size with its highest rate; compressed formats first. */
export const bestOfFormats = (device: Device): string[] =>
  device.formats.toSorted(compressedFirst).flatMap(({ fourcc, sizes }) => {
    const [largest] = sizes.toSorted((a, b) => area(b) - area(a));
    if (largest === undefined) return [formatName(fourcc)];
    const fps = Math.max(...largest.fps, 0);
    const rate = fps > 0 ? ` at ${Number(fps.toFixed(1))} fps` : '';
    return [`${formatName(fourcc)} up to ${largest.width}×${largest.height}${rate}`];
  });

/** Where it is plugged in: `USB 0000:01:00.0-1.2`. */
export const busName = ({ bus, kind }: Device): string => {
  if (kind === 'libcamera') return 'camera connector';
  const usb = /^usb-(.+)$/.exec(bus)?.[1];
  return usb === undefined ? bus : `USB ${usb}`;
};
