import type { Logger } from 'pino';
import { z } from 'zod';
import { describeError } from '../../../common/errors.ts';
import { parseJsonText } from '../../../common/json-text.ts';
import { type Device, deviceSchema } from '../../contract/index.ts';

/** What a backend of another make may say about a camera; everything but an id is optional. */
const looseDeviceSchema = z.looseObject({
  id: z.union([z.string().min(1).max(256), z.number()]),
  name: z.string().max(256).optional(),
  label: z.string().max(256).optional(),
  path: z.string().max(256).optional(),
  device: z.string().max(256).optional(),
  driver: z.string().max(256).optional(),
  bus: z.string().max(256).optional(),
});

const maxDevices = 256;

/** Reads a backend's list: an array, or an object with one under `devices`. Entries without an id are left out. */
export function readDevices(body: unknown): Device[] {
  const wrapped = z.object({ devices: z.array(z.unknown()) }).safeParse(body);
  const list = Array.isArray(body) ? body : wrapped.success ? wrapped.data.devices : [];
  return list.slice(0, maxDevices).flatMap((entry) => {
    const exact = deviceSchema.safeParse(entry);
    if (exact.success) return [exact.data];
    const loose = looseDeviceSchema.safeParse(entry);
    return loose.success ? [fromLoose(loose.data)] : [];
  });
}

/** Our cameras, then the backend's. If both have an id, it stays ours, and the backend's gets a prefix. */
export function mergeDevices(ours: readonly Device[], backends: readonly Device[]): Device[] {
  const taken = new Set(ours.map(({ id }) => id));
  const merged = [...ours];
  for (const device of backends) {
    let id = device.id;
    while (taken.has(id)) id = `backend:${id}`;
    taken.add(id);
    merged.push({ ...device, id });
  }
  return merged;
}

function fromLoose(entry: z.output<typeof looseDeviceSchema>): Device {
  const id = String(entry.id);
  const name = entry.name ?? entry.label ?? id;
  return {
    id,
    name,
    kind: 'v4l2',
    driver: entry.driver ?? 'unknown',
    bus: entry.bus ?? 'backend',
    path: entry.path ?? entry.device ?? null,
    byId: null,
    byPath: null,
    serial: null,
    formats: [],
    controls: [],
    busy: false,
    note: 'a camera of the backend behind this hub',
    source: null,
    label: entry.label ?? name,
    use: 'unused',
  };
}

/** Where the backend's list comes from. */
export interface UpstreamDevicesOptions {
  readonly upstream: string;
  readonly log: Logger;
  /** Milliseconds. Default 2000. */
  readonly timeoutMs?: number;
}

/** The cameras of the backend. While it is away there are none, and our own list is not delayed for long. */
export class UpstreamDevices {
  readonly #options: UpstreamDevicesOptions;
  #away = false;
  /** Ids as they are listed, and the backend's own. */
  #ids: ReadonlyMap<string, string> = new Map();

  constructor(options: UpstreamDevicesOptions) {
    this.#options = options;
  }

  /** `ours` with the backend's. Never rejects. */
  async mergedWith(ours: readonly Device[]): Promise<Device[]> {
    const backends = await this.#fetch();
    const merged = mergeDevices(ours, backends);
    const listed = merged.slice(ours.length);
    this.#ids = new Map(backends.map(({ id }, index) => [listed[index]?.id ?? id, id]));
    return merged;
  }

  /** The backend's own id of one of its cameras in the last merged list; null for all others. */
  backendId(id: string): string | null {
    return this.#ids.get(id) ?? null;
  }

  async #fetch(): Promise<Device[]> {
    const { upstream, timeoutMs = 2000 } = this.#options;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const headers = { accept: 'application/json' };
      const response = await fetch(`${upstream.replace(/\/$/, '')}/api/devices`, { signal, headers });
      if (!response.ok) {
        // A backend without such a route has no cameras to list.
        await response.body?.cancel();
        return [];
      }
      const devices = readDevices(parseJsonText(await response.text()));
      this.#away = false;
      return devices;
    } catch (error) {
      if (!this.#away)
        this.#options.log.warn(`cameras of the backend are not listed: ${describeError(error)}`);
      this.#away = true;
      return [];
    }
  }
}
