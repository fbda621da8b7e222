import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { describeError, errorCode } from '../../common/errors.ts';
import { untilAborted } from '../../common/pause.ts';
import type { StateStore } from '../config/state.ts';
import type { LinkedCamera, LinkedCameras, Take, TakeCamera, TakeRefusal } from '../contract/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import { TakeBook } from './take-book.ts';
import { TakeOrders } from './take-orders.ts';
import { type Refusal, refusalOf } from './take-refusal.ts';
import { TakeRemoval } from './take-removal.ts';
import { awaitedCamera, isOwn, isRunning, isUnfinished } from './take-state.ts';
import { TakeTurns } from './take-turns.ts';

/** The recorders of this machine. */
export interface LocalTakes {
  /** Sources of this machine that can be recorded now. */
  recordable(): readonly string[];
  /** Settles with the cameras that are recorded now. Rejects if none is; nothing of the take is left then. */
  start(take: { id: string; startedAt: string }, cameras: readonly string[]): Promise<readonly string[]>;
  /** Settles once nothing of the take is recorded any more. Rejects with TAKE_NOT_FOUND. */
  stop(takeId: string): Promise<void>;
  /** Removes the masters of this machine. Rejects with TAKE_NOT_FOUND, TAKE_UNFINISHED or TAKE_NOT_REMOVED. */
  remove(takeId: string): Promise<void>;
  /** Takes with masters on this machine, newest first. */
  list(): Promise<readonly Take[]>;
  subscribe(listener: (takeId: string, cameras: readonly TakeCamera[]) => void): () => void;
}

/** What the conductor needs of the appliance. */
export interface TakeConductorOptions {
  readonly local: LocalTakes;
  /** Cameras linked to this hub; null on a camera. */
  readonly cameras: LinkedCameras | null;
  readonly state: StateStore;
  readonly onTake: (take: Take) => void;
  /** The take was deleted everywhere. */
  readonly onGone: (takeId: string) => void;
  /** A start was refused, or a refusal was cleared. */
  readonly onRefusal: () => void;
  readonly log: Logger;
  /** How long a command waits for its turn. */
  readonly patienceMs?: number;
  /** How long to wait for a camera that does not say whether it records. */
  readonly answerWithinMs?: number;
}

const diskPatienceMs = 2000;

/**
 * Starts and stops takes on this machine and on the linked cameras together, and reports the truth about each of them. Commands
 * are carried out one after the other, no matter where they come from.
 */
export class TakeConductor {
  readonly #options: TakeConductorOptions;
  readonly #book: TakeBook;
  readonly #orders: TakeOrders;
  readonly #turns: TakeTurns;
  readonly #removal: TakeRemoval;
  readonly #loaded = Promise.withResolvers<void>();
  #refusal: TakeRefusal | null = null;
  #looking = false;

  constructor(options: TakeConductorOptions) {
    const { cameras, answerWithinMs = 2000 } = options;
    this.#options = options;
    this.#book = new TakeBook(options);
    this.#orders = new TakeOrders({ cameras, answerWithinMs, book: this.#book });
    this.#turns = new TakeTurns(options);
    this.#removal = new TakeRemoval({ ...options, book: this.#book });
  }

  /**
   * Reads which takes exist, once; commands wait for it. Does not wait for a disk that hangs: its takes are added when it
   * answers. Never rejects.
   */
  async load(): Promise<void> {
    const { local, log } = this.#options;
    this.#book.open();
    const look = local.list().then(
      (found) => this.#book.addFound(found),
      (error: unknown) => log.error({ err: error }, 'the takes on the disks cannot be read'),
    );
    await Promise.race([look, sleep(diskPatienceMs, undefined, { ref: false })]);
    this.#loaded.resolve();
  }

  /** Listens for changes of takes until abort, which ends no take: only `stop` does. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = [
      this.#options.local.subscribe((takeId, heard) => {
        // A take on a disk that could not be read when the program started may be found later.
        if (this.#book.find(takeId) === undefined) this.#lookAgain();
        else this.#book.hear(takeId, null, heard);
      }),
      this.#orders.listen(),
    ];
    await untilAborted(signal);
    for (const end of unsubscribe) end();
    await this.#book.saved();
  }

  list(): readonly Take[] {
    return this.#book.list();
  }

  /**
   * Reads the disks again, because one of them may have come or gone. Never rejects, and does not wait for a disk that hangs:
   * its part of the list then stays the same.
   */
  async refresh(): Promise<void> {
    const { local, log } = this.#options;
    const listed = this.#book.list();
    const look = local.list().then(
      (found) => this.#book.relist(found, listed),
      (error: unknown) => log.warn({ err: error }, 'the disks could not be looked at'),
    );
    await Promise.race([look, sleep(diskPatienceMs, undefined, { ref: false })]);
  }

  #lookAgain(): void {
    if (this.#looking) return;
    this.#looking = true;
    void this.refresh().finally(() => {
      this.#looking = false;
    });
  }

  /** Rejects with TAKE_UNKNOWN. */
  get(id: string): Take {
    return this.#book.get(id);
  }

  /** The running take, or null. */
  current(): Take | null {
    return this.#book.current();
  }

  /** Why the last start was refused; null if it was not. */
  get refusal(): TakeRefusal | null {
    return this.#refusal;
  }

  /**
   * Starts a take on the named cameras, or on all. The take says which of them cannot record. Rejects if none can, with
   * TAKE_RUNNING, NOTHING_TO_RECORD, NO_CAMERA_RECORDS, TAKES_BUSY or the disk's error; there is no take then.
   */
  start(wanted: readonly string[] | null): Promise<Take> {
    return this.#noting(async () => {
      const { take, refusals } = await this.#turns.soon('start', () => this.#begin(wanted));
      return this.#requireBegun(take, await Promise.all(refusals));
    });
  }

  /**
   * Stops a take everywhere; the masters are then finished and verified. Rejects with TAKE_UNKNOWN, TAKE_NOT_RUNNING or
   * TAKES_BUSY.
   */
  stop(id: string): Promise<Take> {
    return this.#turns.surely('stop', () => this.#end(id));
  }

  /** The same for the take that is running when its turn comes. */
  stopCurrent(): Promise<Take> {
    return this.#turns.surely('stop', async () => {
      await this.#loaded.promise;
      const take = this.current();
      if (take === null) throw new ApplianceError('TAKE_NOT_RUNNING', 'No take is running.');
      return await this.#end(take.id);
    });
  }

  /** What the record button does: stops the running take, or starts one with all cameras. Never rejects. */
  toggle(): void {
    const press = async () => {
      await this.#loaded.promise;
      const running = this.current();
      if (running === null) return await this.#begin(null);
      await this.#end(running.id);
      return null;
    };
    // Pressed during a take it means stop, which stays valid; a start that comes late is worth nothing.
    const isStop = this.current() !== null;
    const work = this.#noting(async () => {
      const begun = await (isStop ? this.#turns.surely('press', press) : this.#turns.soon('press', press));
      if (begun !== null) this.#requireBegun(begun.take, await Promise.all(begun.refusals));
    });
    work.catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'the command of the record button failed');
    });
  }

  /** Starts what a hub commands, with the hub's id and start time. Rejects if no camera can record. */
  startAs(id: string, startedAt: string, cameras: readonly string[]): Promise<void> {
    return this.#noting(() => this.#turns.soon('start', () => this.#beginAs(id, startedAt, cameras)));
  }

  /**
   * Removes this machine's masters of a take for good. Masters of cameras elsewhere stay, and with them the take in the list.
   * Rejects with TAKE_UNKNOWN, TAKE_UNFINISHED, MASTER_ELSEWHERE, TAKE_NOT_REMOVED or TAKES_BUSY.
   */
  async remove(id: string): Promise<void> {
    // Removing many files takes long, which must not delay the next take: only the decision is made in turn.
    const { removal } = await this.#turns.soon('remove', async () => {
      await this.#loaded.promise;
      return { removal: this.#removal.begin(id) };
    });
    await removal;
  }

  async #begin(wanted: readonly string[] | null): Promise<Begun> {
    await this.#loaded.promise;
    const running = this.current();
    if (running !== null) {
      throw new ApplianceError('TAKE_RUNNING', `Take ${running.id} is running already.`, {
        hint: 'Stop it first.',
      });
    }
    const local = pick(this.#options.local.recordable(), wanted);
    const remote = this.#orders
      .online()
      .map((camera) => ({ camera, sources: pick(recordableOf(camera), wanted) }))
      .filter(({ sources }) => sources.length > 0);
    requireAll(wanted, [...local, ...remote.flatMap(({ sources }) => sources)]);
    const take: Take = {
      id: newTakeId(),
      startedAt: new Date().toISOString(),
      stoppedAt: null,
      state: 'starting',
      cameras: [
        ...local.map((camera) => awaitedCamera(camera, null)),
        ...remote.flatMap(({ camera, sources }) => sources.map((source) => awaitedCamera(source, camera))),
      ],
    };
    this.#book.put(take);
    const refusals = remote.map(({ camera, sources }) => this.#orders.start(take, camera, sources));
    if (local.length > 0) {
      const refusal = await this.#startLocal(take, local);
      if (refusal !== null) this.#fail(take.id, local, refusal.reason);
      refusals.push(Promise.resolve(refusal));
    }
    return { take, refusals };
  }

  async #beginAs(id: string, startedAt: string, cameras: readonly string[]): Promise<void> {
    await this.#loaded.promise;
    const known = this.#book.find(id);
    if (known !== undefined && isRunning(known)) return;
    if (known !== undefined) throw new ApplianceError('TAKE_NOT_RUNNING', `Take ${id} has ended already.`);
    const running = this.current();
    if (running !== null) await this.#end(running.id);
    const parts = cameras.map((camera) => awaitedCamera(camera, null));
    const take: Take = { id, startedAt, stoppedAt: null, state: 'starting', cameras: parts };
    this.#book.put(take);
    this.#requireBegun(take, [await this.#startLocal(take, cameras)]);
  }

  async #end(id: string): Promise<Take> {
    await this.#loaded.promise;
    const take = this.get(id);
    // One that ended by itself, and that a camera continues all the same, can be stopped.
    if (take.stoppedAt !== null && !take.cameras.some(isUnfinished)) {
      throw new ApplianceError('TAKE_NOT_RUNNING', `Take ${id} has ended already.`);
    }
    const ended = { ...take, stoppedAt: take.stoppedAt ?? new Date().toISOString() };
    this.#book.put(ended);
    this.#orders.stop(take);
    if (take.cameras.some(isOwn)) await this.#stopLocal(id);
    return this.#book.find(id) ?? ended;
  }

  /** Why this machine records none of its cameras; null if it records some. The others are then reported as failed. */
  async #startLocal(take: Take, cameras: readonly string[]): Promise<Refusal | null> {
    try {
      const begun = await this.#options.local.start(take, cameras);
      this.#fail(
        take.id,
        cameras.filter((camera) => !begun.includes(camera)),
        'it is not there to be recorded',
      );
      return null;
    } catch (error) {
      this.#options.log.error(
        { err: error, take: take.id },
        'the masters of this machine cannot be recorded',
      );
      return { device: null, code: errorCode(error) ?? 'INTERNAL', reason: describeReason(error) };
    }
  }

  async #stopLocal(id: string): Promise<void> {
    try {
      await this.#options.local.stop(id);
    } catch (error) {
      if (errorCode(error) !== 'TAKE_NOT_FOUND') throw error;
      this.#options.log.warn({ err: error, take: id }, 'a take ends whose disk is away');
      const own = this.#book.find(id)?.cameras.filter((one) => isOwn(one) && isUnfinished(one)) ?? [];
      this.#fail(
        id,
        own.map(({ camera }) => camera),
        'its disk was away when the take ended',
      );
    }
  }

  #fail(id: string, cameras: readonly string[], reason: string): void {
    const failed = cameras.map((camera): TakeCamera => {
      return { ...awaitedCamera(camera, null), state: 'failed', reason };
    });
    if (failed.length > 0) this.#book.hear(id, null, failed);
  }

  /** Withdraws a take that no camera records. Rejects with the reason. */
  #requireBegun(take: Take, refusals: readonly (Refusal | null)[]): Take {
    const refused = refusals.filter((refusal) => refusal !== null);
    if (refused.length < refusals.length) return this.#book.find(take.id) ?? take;
    this.#book.drop(take.id);
    throw refusalOf(refused);
  }

  /** Notes why a start is refused: a person who pressed a button reads it from the status. */
  async #noting<T>(start: () => Promise<T>): Promise<T> {
    let refusal: TakeRefusal | null = null;
    try {
      return await start();
    } catch (error) {
      const code = errorCode(error) ?? 'INTERNAL';
      refusal = { at: new Date().toISOString(), code, message: describeReason(error) };
      // No refusal: a take runs.
      if (code === 'TAKE_RUNNING' || code === 'TAKE_NOT_RUNNING') refusal = this.#refusal;
      throw error;
    } finally {
      if (refusal !== this.#refusal) {
        this.#refusal = refusal;
        this.#options.onRefusal();
      }
    }
  }
}

/** A take that was begun, and the answers of everyone who should record it. */
interface Begun {
  readonly take: Take;
  readonly refusals: readonly Promise<Refusal | null>[];
}

function requireAll(wanted: readonly string[] | null, found: readonly string[]): void {
  const missing = (wanted ?? []).filter((camera) => !found.includes(camera));
  if (found.length > 0 && missing.length === 0) return;
  const which =
    missing.length > 0 ? `${missing.join(', ')} cannot be recorded now.` : 'No camera can be recorded now.';
  throw new ApplianceError('NOTHING_TO_RECORD', which, {
    hint: `${found.length > 0 ? `Ready to record: ${found.join(', ')}. ` : ''}The status says what each camera waits for.`,
  });
}

function pick(available: readonly string[], wanted: readonly string[] | null): string[] {
  return available.filter((one) => wanted === null || wanted.includes(one));
}

function recordableOf(camera: LinkedCamera): string[] {
  return camera.sources.filter(({ state }) => state === 'running').map(({ id }) => id);
}

/** An error with a code of ours is complete for the owner; the cause is for the log. */
function describeReason(error: unknown): string {
  return error instanceof Error && errorCode(error) !== undefined ? error.message : describeError(error);
}

/** Six letters and digits that are not confused when read aloud on a set. */
function newTakeId(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
}
