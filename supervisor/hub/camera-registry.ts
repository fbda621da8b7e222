import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { parseJsonText } from '../../common/json-text.ts';
import {
  type AgentDown,
  type AgentUp,
  agentUpSchema,
  type CameraListener,
  type LinkedCamera,
  type LinkedCameras,
  linkClose,
} from '../contract/index.ts';
import { ClockOffsetFilter } from './clock-offset.ts';

export interface CameraRegistryOptions {
  readonly hub: { readonly id: string; readonly name: string };
  /** Whether a take runs; cameras that have no part in it are told, so that they do not restart beside it. */
  readonly takeRunning?: () => boolean;
  readonly log: Logger;
  readonly now?: () => number;
}

interface Link {
  readonly socket: WebSocket;
  readonly clock: ClockOffsetFilter;
  heardAtMs: number;
  /** Messages that were not understood. */
  passedOver: number;
}

interface Entry {
  camera: LinkedCamera;
  link: Link | null;
}

const helloWithinMs = 5000;
const pingEveryMs = 2000;
/** A cut cable closes nothing: what is silent for so long is gone. */
const silentAfterMs = 6000;
const maxKnown = 64;

/** The hub's side of the links that cameras hold open: who is there, what they say, and the way to command them. */
export class CameraRegistry implements LinkedCameras {
  readonly #options: CameraRegistryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<CameraListener>();
  readonly #now: () => number;

  constructor(options: CameraRegistryOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Watches over the links until abort, then closes them. */
  async run(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.#tick(), pingEveryMs);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    clearInterval(timer);
    for (const { link } of this.#entries.values()) link?.socket.close(1001, 'the hub stops');
    this.#entries.clear();
  }

  list(): readonly LinkedCamera[] {
    return [...this.#entries.values()].map(({ camera }) => camera);
  }

  subscribe(listener: CameraListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends a command; false where the camera is not linked now. */
  send(cameraId: string, message: AgentDown): boolean {
    const link = this.#entries.get(cameraId)?.link;
    if (link === null || link === undefined) return false;
    link.socket.send(JSON.stringify(message));
    return true;
  }

  /** Ends a camera's link and forgets it. */
  drop(cameraId: string, reason: string): void {
    const entry = this.#entries.get(cameraId);
    this.#entries.delete(cameraId);
    entry?.link?.socket.close(linkClose.wrongIdentity, reason);
    if (entry !== undefined) this.#tell((listener) => listener.changed?.());
  }

  /**
   * Takes over a camera's socket. `subject` is the camera its key was made for: nobody speaks for another one;
   * null where no key is needed.
   */
  accept(socket: WebSocket, subject: string | null, address: string): void {
    const late = setTimeout(() => socket.close(linkClose.helloLate, 'no hello in time'), helloWithinMs);
    let id: string | null = null;
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? null : parseUp(data);
      // A camera of another release may say more than this one understands; its hello never changes.
      if (message === null && id !== null && !isBinary && isJsonObject(data)) return this.#passOver(id);
      if (message === null) return socket.close(linkClose.notUnderstood, 'not a message of this link');
      if (id === null) {
        if (message.type !== 'hello') return socket.close(linkClose.notUnderstood, 'hello comes first');
        if (subject !== null && subject !== message.id && subject !== message.name) {
          return socket.close(linkClose.wrongIdentity, `this key belongs to ${subject}`);
        }
        if (this.#entries.size >= maxKnown && !this.#entries.has(message.id)) {
          return socket.close(linkClose.notUnderstood, 'too many cameras');
        }
        clearTimeout(late);
        id = message.id;
        this.#welcome(message, socket, address);
        return;
      }
      this.#hear(id, message, socket);
    });
    socket.on('error', (error) =>
      this.#options.log.debug({ err: error, camera: id }, 'link to a camera broke'),
    );
    socket.on('close', () => {
      clearTimeout(late);
      if (id !== null) this.#left(id, socket);
    });
  }

  #welcome(hello: Extract<AgentUp, { type: 'hello' }>, socket: WebSocket, address: string): void {
    const before = this.#entries.get(hello.id);
    before?.link?.socket.close(linkClose.takenOver, 'this camera linked anew');
    const { hub, log } = this.#options;
    this.#entries.set(hello.id, {
      link: { socket, clock: new ClockOffsetFilter(), heardAtMs: performance.now(), passedOver: 0 },
      camera: {
        id: hello.id,
        name: hello.name,
        version: hello.version,
        address,
        online: true,
        lastSeenAt: this.#instant(),
        sources: hello.sources,
        recording: before?.camera.recording ?? 'idle',
        remainingS: before?.camera.remainingS ?? null,
        clockOffsetMs: before?.camera.clockOffsetMs ?? null,
        clockUncertaintyMs: before?.camera.clockUncertaintyMs ?? null,
        // Of the release before, maybe: its first status tells how the update stands.
        update: null,
      },
    });
    log.info({ camera: hello.name, id: hello.id, address }, 'a camera linked to this hub');
    socket.send(JSON.stringify({ type: 'welcome', hubId: hub.id, hubName: hub.name } satisfies AgentDown));
    this.#ping(hello.id);
    this.#tell((listener) => listener.linked?.(hello.id));
    this.#tell((listener) => listener.changed?.());
  }

  #hear(id: string, message: AgentUp, socket: WebSocket): void {
    const entry = this.#entries.get(id);
    if (entry?.link?.socket !== socket) return;
    entry.link.heardAtMs = performance.now();
    entry.camera = { ...entry.camera, lastSeenAt: this.#instant() };
    switch (message.type) {
      case 'hello':
        socket.close(linkClose.notUnderstood, 'hello comes once');
        break;
      case 'status':
        entry.camera = { ...entry.camera, ...statusOf(message) };
        this.#tell((listener) => listener.changed?.());
        break;
      case 'take':
        this.#tell((listener) => listener.take?.(id, message));
        break;
      case 'refused':
        this.#options.log.warn({ camera: entry.camera.name, ...message }, 'a camera refused a command');
        this.#tell((listener) => listener.refused?.(id, message));
        break;
      case 'accepted':
        this.#tell((listener) => listener.accepted?.(id, message));
        break;
      case 'pong':
        entry.camera = { ...entry.camera, ...this.#measured(entry.link.clock, message) };
        break;
    }
  }

  #left(id: string, socket: WebSocket): void {
    const entry = this.#entries.get(id);
    if (entry?.link?.socket !== socket) return;
    entry.link = null;
    entry.camera = { ...entry.camera, online: false };
    this.#options.log.warn({ camera: entry.camera.name }, 'the link to a camera ended');
    this.#tell((listener) => listener.changed?.());
  }

  #tick(): void {
    for (const { link, camera } of this.#entries.values()) {
      if (link === null) continue;
      if (performance.now() - link.heardAtMs > silentAfterMs) link.socket.terminate();
      else this.#ping(camera.id);
    }
  }

  #ping(id: string): void {
    const take = this.#options.takeRunning?.() ?? false;
    this.send(id, { type: 'ping', echo: this.#now(), take });
  }

  #passOver(id: string): void {
    const entry = this.#entries.get(id);
    if (entry?.link === null || entry === undefined) return;
    entry.link.heardAtMs = performance.now();
    entry.link.passedOver += 1;
    // The first tells what is wrong; the rest would fill the log.
    if (entry.link.passedOver > 1) return;
    const { name, version } = entry.camera;
    this.#options.log.warn({ camera: name, version }, 'a camera says things this hub does not understand');
  }

  #measured(clock: ClockOffsetFilter, { echo, at }: Extract<AgentUp, { type: 'pong' }>) {
    const receivedMs = this.#now();
    clock.add({ sentMs: echo, answeredMs: at, receivedMs });
    const known = clock.current(receivedMs);
    return known === null ? {} : { clockOffsetMs: known.offsetMs, clockUncertaintyMs: known.uncertaintyMs };
  }

  #instant(): string {
    return new Date(this.#now()).toISOString();
  }

  #tell(call: (listener: CameraListener) => void): void {
    for (const listener of this.#listeners) call(listener);
  }
}

function statusOf({ sources, recording, remainingS, update }: Extract<AgentUp, { type: 'status' }>) {
  return { sources, recording, remainingS, update };
}

function isJsonObject(data: RawData): boolean {
  try {
    const value: unknown = parseJsonText(data.toString());
    return typeof value === 'object' && value !== null;
  } catch {
    // Not JSON: nothing a camera of any release would say.
    return false;
  }
}

/** A message of the link, or null where it is none. */
export function parseUp(data: RawData | string): AgentUp | null {
  try {
    const result = agentUpSchema.safeParse(parseJsonText(data.toString()));
    return result.success ? result.data : null;
  } catch {
    // Not JSON: the caller closes the link and says so.
    return null;
  }
}
