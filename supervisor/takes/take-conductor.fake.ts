import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { StateStore } from '../config/state.ts';
import type { AgentDown, AgentUp, LinkedCamera, Take, TakeCamera } from '../contract/index.ts';
import { CameraRegistry } from '../hub/camera-registry.ts';
import { type LocalTakes, TakeConductor, type TakeConductorOptions } from './take-conductor.ts';
import { awaitedCamera } from './take-state.ts';

const log = pino({ level: 'silent' });

/** The registry of a hub with links to test cameras. */
export const registryOf = () => new CameraRegistry({ hub: { id: 'hub', name: 'hub' }, log });

/** Recorders that do as ordered, and report it when the test says so. */
export function localTakes(recordable: string[], failure?: Error) {
  const listeners = new Set<(takeId: string, cameras: readonly TakeCamera[]) => void>();
  const calls: string[] = [];
  const onDisk: Take[] = [];
  const local: LocalTakes = {
    recordable: () => recordable,
    start: async ({ id }, cameras) => {
      calls.push(`start ${cameras.join(',')}`);
      if (failure !== undefined) throw failure;
      tell(
        id,
        cameras.map((camera) => ({ ...awaitedCamera(camera, null), state: 'recording' })),
      );
      return cameras;
    },
    stop: async (id) => {
      calls.push('stop');
      tell(
        id,
        recordable.map((camera) => ({
          ...awaitedCamera(camera, null),
          state: 'verified',
          verified: true,
          frames: 30,
          segments: 1,
        })),
      );
    },
    remove: async (id) => {
      calls.push(`remove ${id}`);
      onDisk.splice(0, onDisk.length, ...onDisk.filter((take) => take.id !== id));
    },
    list: async () => onDisk,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const tell = (id: string, cameras: TakeCamera[]) => {
    for (const listener of listeners) listener(id, cameras);
  };
  return { local, calls, onDisk };
}

/** A linked camera with a socket that the test plays; settles once the hub has welcomed it. */
export async function linkCamera(
  registry: CameraRegistry,
  name: string,
  sources: string[],
  id = `id-${name}`,
) {
  const sent: AgentDown[] = [];
  const socket = Object.assign(new EventEmitter(), {
    // A second link of the same camera takes over from this one, as if this one's cable was pulled.
    OPEN: 1,
    readyState: 1,
    ping: () => socket.emit('close', 1006, Buffer.from('')),
    send: (text: string) => sent.push(JSON.parse(text)),
    close: () => socket.emit('close', 1000, Buffer.from('')),
    terminate: () => socket.emit('close', 1006, Buffer.from('')),
  });
  registry.accept(socket as unknown as WebSocket, null, '192.0.2.1');
  const say = (message: AgentUp) => socket.emit('message', Buffer.from(JSON.stringify(message)), false);
  const running = sources.map((id) => ({
    id,
    kind: 'test' as const,
    label: id,
    state: 'running' as const,
    reason: null,
    restarts: 0,
    droppedFrames: null,
    encoder: null,
  }));
  say({ type: 'hello', id, name, version: '1', sources: running });
  await vi.waitFor(() => expect(sent).toContainEqual(expect.objectContaining({ type: 'welcome' })));
  const status = (recording: LinkedCamera['recording']) =>
    say({
      type: 'status',
      sources: running,
      recording,
      remainingS: null,
      sentAt: new Date().toISOString(),
      update: null,
    });
  const stops = () => sent.filter(({ type }) => type === 'take-stop').length;
  return { sent, say, status, stops, socket };
}

/** A folder for saved state, and conductors that end with it. */
export class ConductorStage implements AsyncDisposable {
  readonly #folder: string;
  readonly #stops: AbortController[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<ConductorStage> {
    return new ConductorStage(await mkdtemp(join(tmpdir(), 'rushlight-takes-')));
  }

  async start(
    local: LocalTakes,
    cameras: CameraRegistry | null,
    more: Partial<TakeConductorOptions> & { isLoaded?: boolean } = {},
  ) {
    const state = new StateStore({ file: join(this.#folder, 'state.json'), logger: log });
    await state.load();
    const told: Take[] = [];
    const gone: string[] = [];
    const conductor = new TakeConductor({
      local,
      cameras,
      state,
      log,
      onTake: (take) => told.push(take),
      onGone: (id) => gone.push(id),
      onRefusal: () => {},
      answerWithinMs: 30,
      ...more,
    });
    const stop = new AbortController();
    this.#stops.push(stop);
    const running = conductor.run(stop.signal);
    if (more.isLoaded !== false) await conductor.load();
    await new Promise((resolve) => setImmediate(resolve));
    const end = async () => {
      stop.abort();
      await running;
    };
    return { conductor, told, gone, state, end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop.abort();
    await sleep(20);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
