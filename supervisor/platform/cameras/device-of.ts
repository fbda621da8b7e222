import type { Device } from '../../contract/index.ts';
import type { NodeProbe } from './camera-probe.ts';
import { type LibcameraCamera, libcameraFormats } from './rpicam-text.ts';
import { libcameraId } from './stable-id.ts';
import type { VideoNode } from './video-nodes.ts';

/** A V4L2 camera. One that did not answer is listed too, with the reason. */
export function v4l2Device(
  id: string,
  node: VideoNode,
  probe: Exclude<NodeProbe, { kind: 'other' }>,
  devFolder: string,
): Device {
  const answered = probe.kind === 'camera';
  const serial = node.usb?.serial || (answered ? probe.info.serial : '');
  const name = tidyName(answered ? probe.info.card : node.name) || id;
  return {
    id,
    name,
    kind: 'v4l2',
    driver: answered ? probe.info.driver : node.driver,
    bus: answered ? probe.info.bus : node.devicePath,
    path: `${devFolder}/${node.node}`,
    byId: linkPath(devFolder, 'by-id', node.byId),
    byPath: linkPath(devFolder, 'by-path', node.byPath),
    serial: serial === '' ? null : serial,
    formats: answered ? probe.formats : [],
    controls: answered ? probe.controls : [],
    busy: false,
    note: noteOf(probe),
    ...nobodys(name),
  };
}

function noteOf(probe: Exclude<NodeProbe, { kind: 'other' }>): string | null {
  if (probe.kind === 'failed') return `does not answer: ${probe.reason}`;
  return probe.formats.length === 0 ? 'offers no format; it may have no signal' : null;
}

/** Camera modules, as devices. */
export function libcameraDevices(
  cameras: readonly LibcameraCamera[],
  driver: string,
  busy: boolean,
): Device[] {
  return cameras.map((camera) => ({
    id: libcameraId(camera.path),
    name: camera.model,
    kind: 'libcamera',
    driver,
    bus: camera.path,
    path: null,
    byId: null,
    byPath: null,
    serial: null,
    formats: libcameraFormats(camera),
    controls: [],
    busy,
    note: null,
    ...nobodys(camera.model),
  }));
}

/** Camera modules on a system without libcamera: present, but unusable until it is installed. */
export function receiverDevices(
  receivers: readonly VideoNode[],
  reason: string,
  devFolder: string,
): Device[] {
  return receivers.map((node) => ({
    id: `receiver-${node.devicePath.split('/').at(-1) ?? node.node}`,
    name: 'Camera module',
    kind: 'libcamera',
    driver: node.driver,
    bus: node.devicePath,
    path: `${devFolder}/${node.node}`,
    byId: null,
    byPath: linkPath(devFolder, 'by-path', node.byPath),
    serial: null,
    formats: [],
    controls: [],
    busy: false,
    note: `needs libcamera (rpicam-apps): ${reason}`,
    ...nobodys('Camera module'),
  }));
}

function nobodys(label: string): Pick<Device, 'source' | 'label' | 'use'> {
  return { source: null, label, use: 'unused' };
}

function linkPath(devFolder: string, kind: 'by-id' | 'by-path', name: string | null): string | null {
  return name === null ? null : `${devFolder}/v4l/${kind}/${name}`;
}

/** Many webcams repeat their name: `Integrated Camera: Integrated C`. */
function tidyName(card: string): string {
  const [first = '', second] = card.split(': ');
  return second !== undefined && first.startsWith(second.trim()) ? first.trim() : card.trim();
}
