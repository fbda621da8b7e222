import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { parseJsonText } from '../../common/json-text.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import { untilAborted } from '../../common/pause.ts';
import { TokenBucket } from '../../common/token-bucket.ts';
import {
  type AgentDown,
  type AgentUp,
  agentUpSchema,
  type CameraListener,
  type LinkedCamera,
  type LinkedCameras,
  linkClose,
  linkLimits,
} from '../contract/index.ts';
import { answersPing } from '../discovery/index.ts';
import type { CameraIdentity, KeyRefusal } from './camera-keys.ts';
import { ClockOffsetFilter } from './clock-offset.ts';

/** What the links of cameras need of the hub. */
export interface CameraRegistryOptions {
  readonly hub: { readonly id: string; readonly name: string };
  /** Whether a take runs. Cameras without a part in it get this, too, so that they do not restart beside it. */
  readonly takeRunning?: () => boolean;
  /**
   * Returns why a key may not identify a camera; null if it may. Without this function only links that need no key are
   * accepted.
   */
  readonly claim?: (keyId: string, camera: CameraIdentity) => Promise<KeyRefusal | null>;
  /** A camera that came with a key of this hub was not linked, for a reason that its owner should know. */
  readonly onRefused?: (camera: CameraIdentity, reason: string) => void;
  readonly log: Logger;
  readonly now?: () => number;
}

type Hello = Extract<AgentUp, { type: 'hello' }>;

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
const maxKnown = 64;
/** Sockets of one key, or of one address without keys, that have not yet said which camera they are. */
const maxUnnamed = 4;
/** A camera says something every two seconds, and whenever its status changes. */
const messagesPerSecond = 100;
const messageBurst = 400;

/** The hub's side of the links that cameras hold open: which cameras are there, what they say, and how to command them. */
export class CameraRegistry implements LinkedCameras {
  readonly #options: CameraRegistryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<CameraListener>();
  readonly #unnamed = new Map<string, number>();
  /** Cameras whose place another connection claims: whether they are alive is being checked. */
  readonly #contested = new Set<string>();
  readonly #limiter: LogLimiter;
  readonly #now: () => number;

  constructor(options: CameraRegistryOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter({ logger: options.log });
    this.#now = options.now ?? Date.now;
  }

  /** Watches the links until abort, then closes them. */
  async run(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.#tick(), linkLimits.pingEveryMs);
    await untilAborted(signal);
    clearInterval(timer);
    for (const { link } of this.#entries.values()) link?.socket.close(1001, 'the hub stops');
    this.#entries.clear();
    this.#limiter[Symbol.dispose]();
  }

  list(): readonly LinkedCamera[] {
    return [...this.#entries.values()].map(({ camera }) => camera);
  }

  subscribe(listener: CameraListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends a command. Returns false if the camera is not linked now. */
  send(cameraId: string, message: AgentDown): boolean {
    const link = this.#entries.get(cameraId)?.link;
    if (link === null || link === undefined) return false;
    link.socket.send(JSON.stringify(message));
    return true;
  }

  /** Whether this camera holds a link now. */
  isLinked(cameraId: string): boolean {
    return (this.#entries.get(cameraId)?.link ?? null) !== null;
  }

  /** Ends a camera's link and forgets it. */
  drop(cameraId: string, reason: string): void {
    const entry = this.#entries.get(cameraId);
    this.#entries.delete(cameraId);
    entry?.link?.socket.close(linkClose.wrongIdentity, reason);
    if (entry !== undefined) this.#tell((listener) => listener.changed?.());
  }

  /**
   * Takes over a camera's socket. `keyId` is the key it came with, which identifies only one camera; null if no key is needed.
   * A camera that is linked and alive keeps its place, even if another connection claims to be the same one.
   */
  accept(socket: WebSocket, keyId: string | null, address: string): void {
    const named = this.#countUnnamed(socket, keyId ?? address);
    if (named === null) return;
    const late = setTimeout(() => socket.close(linkClose.helloLate, 'no hello in time'), helloWithinMs);
    const rate = new TokenBucket({ burst: messageBurst, perSecond: messagesPerSecond });
    let id: string | null = null;
    let linked = false;
    socket.on('message', (data, isBinary) => {
      if (!rate.take()) return socket.close(linkClose.tooMuch, 'too many messages');
      const message = isBinary ? null : parseUp(data);
      // A camera of another release may say more than this one understands; its hello never changes.
      if (message === null && id !== null && linked && !isBinary && isJsonObject(data))
        return this.#passOver(id);
      if (message === null) return socket.close(linkClose.notUnderstood, 'not a message of this link');
      if (id !== null) {
        if (linked) this.#hear(id, message, socket);
        else socket.close(linkClose.notUnderstood, 'the welcome comes first');
        return;
      }
      if (message.type !== 'hello') return socket.close(linkClose.notUnderstood, 'hello comes first');
      clearTimeout(late);
      id = message.id;
      named();
      this.#admit(message, socket, keyId, address)
        .then((admitted) => {
          linked = admitted;
          // Only what comes after its welcome is heard.
          if (admitted) this.#welcome(message, socket, address);
        })
        .catch((error: unknown) => {
          this.#options.log.error({ err: error, camera: message.id }, 'a camera could not be linked');
          socket.close(1011, 'the hub failed to link this camera');
        });
    });
    socket.on('error', (error) =>
      this.#options.log.debug({ err: error, camera: id }, 'link to a camera broke'),
    );
    socket.on('close', () => {
      clearTimeout(late);
      named();
      if (id !== null) this.#left(id, socket);
    });
  }

  /** Counts a socket until it has said which camera it is, or ended; null if there are too many. */
  #countUnnamed(socket: WebSocket, holder: string): (() => void) | null {
    const others = this.#unnamed.get(holder) ?? 0;
    if (others >= maxUnnamed) {
      socket.close(linkClose.tooMuch, 'too many links that do not say who they are');
      return null;
    }
    this.#unnamed.set(holder, others + 1);
    let counted = true;
    return () => {
      if (!counted) return;
      counted = false;
      const left = (this.#unnamed.get(holder) ?? 1) - 1;
      if (left > 0) this.#unnamed.set(holder, left);
      else this.#unnamed.delete(holder);
    };
  }

  /** Whether this socket may act for the camera it names; if not, it is closed with the reason. */
  async #admit(hello: Hello, socket: WebSocket, keyId: string | null, address: string): Promise<boolean> {
    const refuse = (code: number, reason: string) => {
      const fields = { camera: hello.name, id: hello.id, address, reason };
      this.#limiter.log(
        'warn',
        `refused ${keyId ?? address}`.slice(0, 80),
        fields,
        'a camera was not linked',
      );
      if (keyId !== null) this.#options.onRefused?.({ id: hello.id, name: hello.name }, reason);
      socket.close(code, reason.slice(0, 120));
      return false;
    };
    const refusal = await this.#keyRefusal(hello, keyId);
    if (refusal !== null) return refuse(linkClose.wrongIdentity, refusal.reason);
    const before = this.#entries.get(hello.id)?.link;
    if (before !== null && before !== undefined) {
      if (this.#contested.has(hello.id)) return refuse(linkClose.takenOver, inUse);
      this.#contested.add(hello.id);
      const alive = await answersPing(before.socket).finally(() => this.#contested.delete(hello.id));
      if (alive) return refuse(linkClose.takenOver, inUse);
      before.socket.close(linkClose.takenOver, 'this camera linked again');
    }
    if (!this.#makeRoom(hello.id)) return refuse(linkClose.tooMuch, 'too many cameras are linked');
    // It may have left, or its key may have been revoked, in the meantime.
    const stillRefused = await this.#keyRefusal(hello, keyId);
    if (stillRefused !== null) return refuse(linkClose.wrongIdentity, stillRefused.reason);
    return socket.readyState === socket.OPEN;
  }

  async #keyRefusal({ id, name }: Hello, keyId: string | null): Promise<KeyRefusal | null> {
    const { claim, log } = this.#options;
    if (keyId === null) return null;
    if (claim === undefined) return { reason: 'this hub accepts no keys' };
    try {
      return await claim(keyId, { id, name });
    } catch (error) {
      log.error({ err: error, camera: id }, 'whose key it is cannot be found out');
      return { reason: 'the hub cannot find out whose key this is' };
    }
  }

  /** A camera that is not linked gives its place in the list to one that is; the one that left first goes first. */
  #makeRoom(id: string): boolean {
    if (this.#entries.has(id) || this.#entries.size < maxKnown) return true;
    const away = [...this.#entries.values()]
      .filter(({ link }) => link === null)
      .sort((a, b) => a.camera.lastSeenAt.localeCompare(b.camera.lastSeenAt));
    return away[0] !== undefined && this.#entries.delete(away[0].camera.id);
  }

  #welcome(hello: Hello, socket: WebSocket, address: string): void {
    const before = this.#entries.get(hello.id);
    const { hub } = this.#options;
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
        // It may be of the release before: its first status reports its update.
        update: null,
      },
    });
    const fields = { camera: hello.name, id: hello.id, address };
    this.#limiter.log('info', `linked ${hello.id}`, fields, 'a camera linked to this hub');
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
        this.#tell((listener) => listener.reported?.(id));
        this.#tell((listener) => listener.changed?.());
        break;
      case 'take':
        this.#tell((listener) => listener.take?.(id, message));
        break;
      case 'refused':
        this.#limiter.log(
          'warn',
          `command ${id}`,
          { camera: entry.camera.name, ...message },
          'a camera refused a command',
        );
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
    this.#limiter.log('warn', `left ${id}`, { camera: entry.camera.name }, 'the link to a camera ended');
    this.#tell((listener) => listener.changed?.());
  }

  #tick(): void {
    for (const { link, camera } of this.#entries.values()) {
      if (link === null) continue;
      if (performance.now() - link.heardAtMs > linkLimits.silentAfterMs) link.socket.terminate();
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
    // The first one says what is wrong; the rest would fill the log.
    if (entry.link.passedOver > 1) return;
    const { name, version } = entry.camera;
    this.#options.log.warn({ camera: name, version }, 'a camera sends messages this hub does not understand');
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

const inUse = 'another camera with this id is linked: two cards made from one copy are one camera to the hub';

function statusOf({ sources, recording, remainingS, update }: Extract<AgentUp, { type: 'status' }>) {
  return { sources, recording, remainingS, update };
}

function isJsonObject(data: RawData): boolean {
  try {
    const value: unknown = parseJsonText(data.toString());
    return typeof value === 'object' && value !== null;
  } catch {
    // Not JSON: no camera of any release sends this.
    return false;
  }
}

/** A message of the link, or null if it is not one. */
export function parseUp(data: RawData | string): AgentUp | null {
  try {
    const result = agentUpSchema.safeParse(parseJsonText(data.toString()));
    return result.success ? result.data : null;
  } catch {
    // Not JSON: the caller closes the link and says so.
    return null;
  }
}
