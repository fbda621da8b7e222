import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type LinkedCamera, type Take, type TakeCamera, takeSchema } from '../api/contract.ts';
import { listOf, type StateSection, type StateStore } from '../config/state.ts';
import type { CameraRegistry } from '../discovery/camera-registry.ts';
import { describeError, errorCode } from '../errors.ts';
import { ApplianceError } from './appliance-error.ts';
import { merged, relisted } from './take-list.ts';
import { asRemoved, awaitedCamera, isAtWork, isOwn, isRunning, takeStateOf } from './take-state.ts';

/** The recorders of this machine. */
export interface LocalTakes {
  /** Sources of this machine that can be recorded now. */
  recordable(): readonly string[];
  start(take: { id: string; startedAt: string }, cameras: readonly string[]): Promise<void>;
  stop(takeId: string): Promise<void>;
  /** Removes the masters of this machine. Rejects with TAKE_NOT_FOUND, TAKE_UNFINISHED or TAKE_NOT_REMOVED. */
  remove(takeId: string): Promise<void>;
  /** Takes with masters on this machine, newest first. */
  list(): Promise<readonly Take[]>;
  subscribe(listener: (takeId: string, cameras: readonly TakeCamera[]) => void): () => void;
}

export interface TakeConductorOptions {
  readonly local: LocalTakes;
  /** Cameras linked to this hub; null on a camera. */
  readonly cameras: CameraRegistry | null;
  readonly state: StateStore;
  readonly onTake: (take: Take) => void;
  /** A take of which nothing is left anywhere. */
  readonly onGone: (takeId: string) => void;
  readonly log: Logger;
}

const keptTakes = 100;
const diskPatienceMs = 2000;

/** What a hub remembers of takes whose masters lie on its cameras. */
export const takesSection = {
  name: 'takes',
  schema: z.object({
    conducted: listOf(takeSchema),
    /** Its disk may be away when it ends, and then cannot be told. Absent: a release before this one did not say. */
    running: takeSchema.shape.id.nullable().optional(),
  }),
} as const satisfies StateSection<z.ZodObject>;

/** Starts and stops takes on this machine and on the linked cameras together, and tells the truth about each of them. */
export class TakeConductor {
  readonly #options: TakeConductorOptions;
  #takes: Take[] = [];
  #saving: Promise<void> = Promise.resolve();
  /** What was last given to be kept. */
  #saved: { readonly kept: number; readonly running: string | null | undefined } = {
    kept: 0,
    running: undefined,
  };

  constructor(options: TakeConductorOptions) {
    this.#options = options;
  }

  /** Until abort; what runs then goes on running: only `stop` ends a take. */
  async run(signal: AbortSignal): Promise<void> {
    const { local, cameras, state } = this.#options;
    const { conducted, running } = state.get(takesSection);
    this.#saved = { kept: conducted.length, running };
    this.#takes = merged(await local.list(), conducted);
    const unsubscribe = [
      local.subscribe((takeId, heard) => this.#hear(takeId, null, heard)),
      cameras?.subscribe({
        take: (cameraId, message) => this.#hear(message.takeId, this.#deviceName(cameraId), message.cameras),
        refused: (cameraId, message) => this.#refused(cameraId, message.command, message.reason),
        changed: () => this.#resume(),
      }),
    ];
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (const end of unsubscribe) end?.();
    await this.#saving;
  }

  list(): readonly Take[] {
    return this.#takes;
  }

  /**
   * Looks at the disks again, one of which may have come or gone. Never rejects, and does not wait for a disk that hangs: the
   * list is then as it was.
   */
  async refresh(): Promise<void> {
    const { local, log } = this.#options;
    const look = local.list().then(
      (found) => {
        this.#takes = relisted(this.#takes, found);
      },
      (error: unknown) => log.warn({ err: error }, 'the disks could not be looked at'),
    );
    await Promise.race([look, sleep(diskPatienceMs, undefined, { ref: false })]);
  }

  /** Rejects with TAKE_UNKNOWN. */
  get(id: string): Take {
    const take = this.#takes.find((one) => one.id === id);
    if (take === undefined) throw new ApplianceError('TAKE_UNKNOWN', `There is no take "${id}".`);
    return take;
  }

  /** The running take, if there is one. */
  current(): Take | null {
    return this.#takes.find(isRunning) ?? null;
  }

  /** Starts a take on the named cameras, or on all. Rejects with TAKE_RUNNING or NOTHING_TO_RECORD. */
  async start(wanted: readonly string[] | null): Promise<Take> {
    const running = this.current();
    if (running !== null) {
      throw new ApplianceError('TAKE_RUNNING', `Take ${running.id} is running already.`, {
        hint: 'Stop it first.',
      });
    }
    const local = pick(this.#options.local.recordable(), wanted);
    const remote = this.#online()
      .map((camera) => ({ camera, sources: pick(recordableOf(camera), wanted) }))
      .filter(({ sources }) => sources.length > 0);
    const found = new Set([...local, ...remote.flatMap(({ sources }) => sources)]);
    const missing = (wanted ?? []).filter((camera) => !found.has(camera));
    if (found.size === 0 || missing.length > 0) {
      const which =
        missing.length > 0
          ? `${missing.join(', ')} cannot be recorded now.`
          : 'No camera can be recorded now.';
      throw new ApplianceError('NOTHING_TO_RECORD', which, {
        hint: 'The status says what each camera waits for.',
      });
    }
    const take: Take = {
      id: newTakeId(),
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      state: 'starting',
      cameras: [
        ...local.map((camera) => awaitedCamera(camera, null)),
        ...remote.flatMap(({ camera, sources }) =>
          sources.map((source) => awaitedCamera(source, camera.name)),
        ),
      ],
    };
    this.#put(take);
    for (const { camera, sources } of remote) this.#command(camera.id, take, sources);
    await this.#startLocal(take, local);
    return this.get(take.id);
  }

  /** What the record button does: starts a take of everything, or stops the running one. Never rejects. */
  toggle(): void {
    const running = this.current();
    const work = running === null ? this.start(null) : this.stop(running.id);
    work.catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'the record button could not do what it should');
    });
  }

  /** Starts what a hub commands: its id and start stand. */
  async startAs(id: string, startedAt: string, cameras: readonly string[]): Promise<void> {
    const known = this.#takes.find((take) => take.id === id);
    if (known !== undefined && isRunning(known)) return;
    const running = this.current();
    if (running !== null) await this.stop(running.id);
    this.#put({
      id,
      startedAt,
      stoppedAt: null,
      state: 'starting',
      cameras: cameras.map((camera) => awaitedCamera(camera, null)),
    });
    await this.#startLocal(this.get(id), cameras);
  }

  /** Stops a take everywhere; the masters are then finished and verified. Rejects with TAKE_UNKNOWN or TAKE_NOT_RUNNING. */
  async stop(id: string): Promise<Take> {
    const take = this.get(id);
    if (take.stoppedAt !== null) {
      throw new ApplianceError('TAKE_NOT_RUNNING', `Take ${id} has been stopped already.`);
    }
    this.#put({ ...take, stoppedAt: new Date().toISOString() });
    for (const camera of this.#online()) {
      this.#options.cameras?.send(camera.id, { type: 'take-stop', takeId: id });
    }
    if (take.cameras.some(({ device }) => device === null)) await this.#options.local.stop(id);
    return this.get(id);
  }

  /**
   * Removes this machine's masters of a take for good. Those of cameras elsewhere stay, and with them the take in the list.
   * Rejects with TAKE_UNKNOWN, TAKE_UNFINISHED, MASTER_ELSEWHERE or TAKE_NOT_REMOVED.
   */
  async remove(id: string): Promise<void> {
    const take = this.get(id);
    const own = take.cameras.filter(isOwn);
    // One that is still at work has told of no segment yet.
    const kept = take.cameras.filter((one) => !isOwn(one) && (one.segments > 0 || isAtWork(one)));
    if (isRunning(take) || own.some(isAtWork)) {
      throw new ApplianceError('TAKE_UNFINISHED', `Take ${id} is still being recorded or finished.`, {
        hint: 'Wait until it is verified.',
      });
    }
    const hasOwn = own.some(({ segments }) => segments > 0);
    if (!hasOwn && kept.length > 0) {
      const keepers = [...new Set(kept.map(({ device }) => device))].join(', ');
      throw new ApplianceError('MASTER_ELSEWHERE', `The masters of take ${id} lie on ${keepers}.`, {
        hint: 'Delete them on the page of that appliance.',
      });
    }
    if (own.length > 0) await this.#removeOwn(id);
    this.#options.log.warn({ take: id, cameras: own.map(({ camera }) => camera) }, 'masters were removed');
    // Told also where nothing is left: a hub has this take in its list, too.
    this.#put({ ...this.get(id), cameras: this.get(id).cameras.map(asRemoved) });
    if (kept.length === 0) this.#drop(id);
  }

  /** Masters that are gone already, as those of a take that failed before its first frame, are no obstacle. */
  async #removeOwn(id: string): Promise<void> {
    try {
      await this.#options.local.remove(id);
    } catch (error) {
      if (errorCode(error) !== 'TAKE_NOT_FOUND') throw error;
    }
  }

  #drop(id: string): void {
    this.#takes = this.#takes.filter((take) => take.id !== id);
    this.#options.onGone(id);
    this.#save();
  }

  async #startLocal(take: Take, cameras: readonly string[]): Promise<void> {
    if (cameras.length === 0) return;
    try {
      await this.#options.local.start(take, cameras);
    } catch (error) {
      this.#options.log.error(
        { err: error, take: take.id },
        'the masters of this machine cannot be recorded',
      );
      const reason = describeError(error);
      this.#hear(
        take.id,
        null,
        cameras.map((camera) => ({ ...awaitedCamera(camera, null), state: 'failed', reason })),
      );
    }
  }

  /** A camera that was away when the take started or stopped is told when it is back. */
  #resume(): void {
    for (const camera of this.#online()) {
      if (camera.recording === 'idle') continue;
      const running = this.current();
      for (const take of this.#takes) {
        const waits = take.cameras.some((one) => one.device === camera.name && isUnfinished(one));
        if (waits && take.stoppedAt !== null && take.id !== running?.id && camera.recording === 'recording') {
          this.#options.cameras?.send(camera.id, { type: 'take-stop', takeId: take.id });
        }
      }
    }
  }

  #command(cameraId: string, take: Take, cameras: readonly string[]): void {
    const { id: takeId, startedAt } = take;
    this.#options.cameras?.send(cameraId, { type: 'take-start', takeId, startedAt, cameras: [...cameras] });
  }

  #refused(cameraId: string, command: string, reason: string): void {
    const device = this.#deviceName(cameraId);
    const take = this.current();
    if (command !== 'take-start' || take === null) return;
    const cameras = take.cameras.filter((camera) => camera.device === device);
    this.#hear(
      take.id,
      device,
      cameras.map((camera) => ({ ...camera, state: 'failed', reason })),
    );
  }

  /** What a device says about its cameras of a take. */
  #hear(takeId: string, device: string | null, heard: readonly TakeCamera[]): void {
    const take = this.#takes.find((one) => one.id === takeId);
    if (take === undefined) return;
    const names = new Set(heard.map(({ camera }) => camera));
    const others = take.cameras.filter((one) => one.device !== device || !names.has(one.camera));
    const cameras = [...others, ...heard.map((one) => ({ ...one, device }))].sort((a, b) =>
      a.camera.localeCompare(b.camera),
    );
    this.#put({ ...take, cameras });
  }

  #put(take: Take): void {
    const next = { ...take, state: takeStateOf(take.cameras) };
    const before = this.#takes.find((one) => one.id === take.id);
    this.#takes = [next, ...this.#takes.filter((one) => one.id !== take.id)]
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
      .slice(0, 1000);
    this.#options.onTake(next);
    if (before?.state !== next.state || before.stoppedAt !== next.stoppedAt) this.#save();
  }

  #save(): void {
    const conducted = this.#takes.filter((take) => take.cameras.some(({ device }) => device !== null));
    const running = this.current()?.id ?? null;
    const kept = conducted.length;
    // A machine that conducts nobody writes at the start and at the end of a take, no more.
    if (kept === 0 && this.#saved.kept === 0 && running === this.#saved.running) return;
    this.#saved = { kept, running };
    const next = { conducted: conducted.slice(0, keptTakes), running };
    const write = () => this.#options.state.update(takesSection, () => next);
    this.#saving = this.#saving.then(write).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the list of takes cannot be kept');
    });
  }

  #online(): readonly LinkedCamera[] {
    return (this.#options.cameras?.list() ?? []).filter(({ online }) => online);
  }

  #deviceName(cameraId: string): string {
    return this.#options.cameras?.list().find(({ id }) => id === cameraId)?.name ?? cameraId;
  }
}

function pick(available: readonly string[], wanted: readonly string[] | null): string[] {
  return available.filter((one) => wanted === null || wanted.includes(one));
}

function recordableOf(camera: LinkedCamera): string[] {
  return camera.sources.filter(({ state }) => state === 'running').map(({ id }) => id);
}

function isUnfinished({ state }: TakeCamera): boolean {
  return state === 'recording' || state === 'starting';
}

/** Six letters and digits that cannot be mistaken for one another when read aloud on a set. */
function newTakeId(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
}
