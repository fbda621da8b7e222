import type { Logger } from 'pino';
import type { Device } from '../../contract/index.ts';
import { type RunCommand, runCommand } from '../run-command.ts';
import { type LibcameraProbe, type NodeProbe, probeLibcamera, probeNode } from './camera-probe.ts';
import { libcameraDevices, receiverDevices, v4l2Device } from './device-of.ts';
import { classifyNode } from './node-class.ts';
import { openVideoNodes } from './open-nodes.ts';
import { type HomeMemory, SerialHomes } from './serial-homes.ts';
import { stableIds } from './stable-id.ts';
import { readVideoNodes, type SystemRoots, systemRoots, type VideoNode } from './video-nodes.ts';

/** What the list is made from. */
export interface CameraEnumeratorOptions {
  readonly log: Logger;
  readonly run?: RunCommand;
  readonly roots?: SystemRoots;
  /** What the appliance makes of a device; absent: nothing. */
  readonly placeOf?: (device: Device) => DevicePlace;
  /** Ports of cameras that share a serial number; without it, they are known until the program ends. */
  readonly homes?: HomeMemory;
}

/** What is known about a device that the device itself does not know. */
export type DevicePlace = Pick<Device, 'source' | 'label' | 'use'>;

/**
 * Lists the cameras of this machine. Programs run once for each camera that is plugged in; after that a listing reads only
 * sysfs and /proc.
 */
export class CameraEnumerator {
  readonly #log: Logger;
  readonly #run: RunCommand;
  readonly #roots: SystemRoots;
  readonly #placeOf: (device: Device) => DevicePlace;
  readonly #homes: SerialHomes;
  readonly #probes = new Map<string, NodeProbe>();
  #open: { readonly atMs: number; readonly nodes: Promise<Set<string>> } | null = null;
  #libcamera: { readonly key: string; readonly probe: LibcameraProbe } | null = null;

  constructor(options: CameraEnumeratorOptions) {
    this.#log = options.log;
    this.#run = options.run ?? runCommand;
    this.#roots = options.roots ?? systemRoots;
    this.#homes = new SerialHomes(options.homes ?? null);
    this.#placeOf = options.placeOf ?? (({ source, label, use }) => ({ source, label, use }));
  }

  /** All cameras: those of V4L2 by node, then those of libcamera by number. */
  async list(): Promise<Device[]> {
    const nodes = await readVideoNodes(this.#roots);
    const open = nodes.length === 0 ? new Set<string>() : await this.#openNodes();
    const of = (wanted: string) => nodes.filter((node) => classifyNode(node.driver, node.name) === wanted);
    const [cameras, receivers] = [of('camera'), of('sensor-receiver')];
    const probes = await this.#probeAll(cameras);
    const ids = stableIds(
      cameras.filter((node) => probes.get(node)?.kind !== 'other'),
      this.#homes,
    );
    const devices = [...ids].flatMap(([name, id]) => {
      const node = cameras.find((camera) => camera.node === name);
      const probe = node && probes.get(node);
      if (node === undefined || probe === undefined || probe.kind === 'other') return [];
      return [v4l2Device(id, node, probe, this.#roots.dev)];
    });
    const byNode = devices.toSorted((a, b) =>
      String(a.path).localeCompare(String(b.path), 'en', { numeric: true }),
    );
    const modules = await this.#modules(receivers, open);
    return [...byNode, ...modules].map((device) => ({
      ...device,
      busy: device.busy || (device.path !== null && open.has(device.path.slice(this.#roots.dev.length + 1))),
      ...this.#placeOf(device),
    }));
  }

  /** Asks a camera's node again at the next listing: its controls were changed, or it, or libcamera, could not answer. */
  forget(path: string): void {
    if (this.#libcamera?.probe.kind === 'failed') this.#libcamera = null;
    const node = path.slice(this.#roots.dev.length + 1);
    for (const key of this.#probes.keys()) if (key.startsWith(`${node} `)) this.#probes.delete(key);
  }

  /** Searching all processes takes tens of milliseconds: one search serves every caller within a second. */
  #openNodes(): Promise<Set<string>> {
    const nowMs = performance.now();
    if (this.#open === null || nowMs - this.#open.atMs > 1000) {
      this.#open = { atMs: nowMs, nodes: openVideoNodes(this.#roots) };
    }
    return this.#open.nodes;
  }

  async #probeAll(nodes: readonly VideoNode[]): Promise<Map<VideoNode, NodeProbe>> {
    const known = new Set(nodes.map(keyOf));
    for (const key of this.#probes.keys()) if (!known.has(key)) this.#probes.delete(key);
    const probes = new Map<VideoNode, NodeProbe>();
    // One after the other: several cameras plugged at once share the bus.
    for (const node of nodes) {
      const key = keyOf(node);
      let probe = this.#probes.get(key);
      if (probe === undefined) {
        probe = await probeNode(this.#run, `${this.#roots.dev}/${node.node}`);
        if (probe.kind === 'failed')
          this.#log.warn({ node: node.node, reason: probe.reason }, 'camera does not answer');
        this.#probes.set(key, probe);
      }
      probes.set(node, probe);
    }
    return probes;
  }

  async #modules(receivers: readonly VideoNode[], open: ReadonlySet<string>): Promise<Device[]> {
    if (receivers.length === 0) {
      this.#libcamera = null;
      return [];
    }
    const key = receivers.map(keyOf).join();
    if (this.#libcamera?.key !== key) {
      const probe = await probeLibcamera(this.#run);
      if (probe.kind === 'failed')
        this.#log.warn({ reason: probe.reason }, 'camera modules cannot be listed');
      this.#libcamera = { key, probe };
    }
    const { probe } = this.#libcamera;
    if (probe.kind === 'failed') return receiverDevices(receivers, probe.reason, this.#roots.dev);
    const opened = receivers.filter((node) => open.has(node.node)).length;
    const allBusy = opened > 0 && opened >= Math.min(receivers.length, probe.cameras.length);
    return libcameraDevices(probe.cameras, receivers[0]?.driver ?? '', allBusy);
  }
}

/** Another plugging is another key: the former camera's probe does not count for it. */
function keyOf(node: VideoNode): string {
  return `${node.node} ${node.devicePath} ${node.usb?.deviceNumber ?? ''} ${node.name}`;
}
