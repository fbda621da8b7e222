import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentDown, AgentUp, LinkedCamera, LinkedCameras, Take, TakeCamera } from '../contract/index.ts';
import type { TakeBook } from './take-book.ts';
import type { Refusal } from './take-refusal.ts';
import { isKeptBy, isUnfinished, type Keeper } from './take-state.ts';

/** What orders to cameras need. */
export interface TakeOrdersOptions {
  /** Cameras linked to this hub; null on a camera. */
  readonly cameras: LinkedCameras | null;
  readonly book: TakeBook;
  /** How long to wait for a camera that does not say whether it records, such as one of an earlier release. */
  readonly answerWithinMs: number;
}

type Refused = Extract<AgentUp, { type: 'refused' }>;

/** The hub's orders to its cameras about takes, and their answers. */
export class TakeOrders {
  readonly #options: TakeOrdersOptions;
  /** Starts without an answer yet, by take and camera. */
  readonly #awaited = new Map<string, PromiseWithResolvers<Refusal | null>>();
  /** Takes that each camera was ordered to start, and to stop, since it linked: once is enough. */
  readonly #orderedStarts = new Map<string, Set<string>>();
  readonly #orderedStops = new Map<string, Set<string>>();
  /** Cameras that linked and have not said yet what they do. */
  readonly #justLinked = new Set<string>();

  constructor(options: TakeOrdersOptions) {
    this.#options = options;
  }

  /** Listens to what cameras say. Returns the function that stops it. */
  listen(): () => void {
    return (
      this.#options.cameras?.subscribe({
        take: (cameraId, message) => this.#heard(cameraId, message),
        accepted: (cameraId, { command, order }) => {
          if (command === 'take-start') this.#answered(order, cameraId, null);
        },
        refused: (cameraId, message) => this.#refused(cameraId, message),
        linked: (cameraId) => {
          this.#orderedStarts.delete(cameraId);
          this.#orderedStops.delete(cameraId);
          this.#justLinked.add(cameraId);
        },
        reported: (cameraId) => void this.#justLinked.delete(cameraId),
        changed: () => this.#catchUp(),
      }) ?? (() => {})
    );
  }

  online(): readonly LinkedCamera[] {
    return (this.#options.cameras?.list() ?? []).filter(({ online }) => online);
  }

  /** Orders a camera to record its sources. Settles with its refusal, or null if it records or does not answer in time. */
  async start(take: Take, camera: Keeper, sources: readonly string[]): Promise<Refusal | null> {
    const { answerWithinMs } = this.#options;
    const key = keyOf(take.id, camera.id);
    const answer = Promise.withResolvers<Refusal | null>();
    this.#awaited.set(key, answer);
    if (!this.#tellStart(camera.id, take, sources)) {
      this.#fail(take.id, camera, { code: 'MEMBER_UNREACHABLE', reason: 'it is not connected' });
    }
    const late = sleep(answerWithinMs, null, { ref: false });
    return await Promise.race([answer.promise, late]).finally(() => this.#awaited.delete(key));
  }

  /** Orders every camera that has a part in a take to end it. */
  stop(take: Take): void {
    // A release before this one did not note which appliance it was.
    const isVague = take.cameras.some(({ device, deviceId }) => device !== null && deviceId === undefined);
    for (const camera of this.online()) {
      if (isVague || take.cameras.some((one) => isKeptBy(one, camera))) this.#tellStop(camera.id, take.id);
    }
  }

  /** An order sent into a dead link did not arrive: a camera that is back gets it again. */
  #catchUp(): void {
    const { book } = this.#options;
    const running = book.current();
    for (const camera of this.online()) {
      book.noteName(camera);
      for (const take of book.list()) {
        if (take.stoppedAt === null || take.id === running?.id) continue;
        if (this.#orderedStops.get(camera.id)?.has(take.id) === true) continue;
        const waits = take.cameras.some((one) => isKeptBy(one, camera) && isUnfinished(one));
        if (waits) this.#tellStop(camera.id, take.id);
      }
      // It may be recording by itself now, which a start would end: it reports first, whatever other cameras say meanwhile.
      const isFresh = this.#justLinked.has(camera.id);
      if (running !== null && !isFresh && camera.recording === 'idle') this.#startLate(running, camera);
    }
  }

  #startLate(take: Take, camera: Keeper): void {
    if (this.#orderedStarts.get(camera.id)?.has(take.id) === true) return;
    const waiting = take.cameras.filter((one) => isKeptBy(one, camera) && one.state === 'starting');
    const sources = waiting.map((one) => one.camera);
    if (sources.length > 0) this.#tellStart(camera.id, take, sources);
  }

  /** The take is also the order's number, so a refusal says what it refuses. */
  #tellStart(cameraId: string, { id: takeId, startedAt }: Take, sources: readonly string[]): boolean {
    const order: AgentDown = {
      ...{ type: 'take-start', takeId, startedAt, cameras: [...sources], order: takeId },
    };
    return this.#tell(cameraId, order, this.#orderedStarts);
  }

  #tellStop(cameraId: string, takeId: string): void {
    this.#tell(cameraId, { type: 'take-stop', takeId, order: takeId }, this.#orderedStops);
  }

  #tell(
    cameraId: string,
    order: Extract<AgentDown, { takeId: string }>,
    ordered: Map<string, Set<string>>,
  ): boolean {
    if (this.#options.cameras?.send(cameraId, order) !== true) return false;
    ordered.set(cameraId, (ordered.get(cameraId) ?? new Set()).add(order.takeId));
    return true;
  }

  #heard(cameraId: string, { takeId, cameras: parts }: Extract<AgentUp, { type: 'take' }>): void {
    const keeper = this.#keeper(cameraId);
    this.#options.book.hear(takeId, keeper, parts);
    // A release before this one neither accepts nor refuses: what it says about its cameras is its answer.
    if (parts.every(({ state }) => state === 'starting')) return;
    const allFailed = parts.every(({ state }) => state === 'failed');
    const reason = parts[0]?.reason ?? 'it does not say why';
    const refusal = { device: keeper.name, code: 'NO_CAMERA_RECORDS', reason };
    this.#answered(takeId, cameraId, allFailed ? refusal : null);
  }

  #refused(cameraId: string, { command, order, code, reason }: Refused): void {
    const { book } = this.#options;
    // A release before this one does not say which take it refuses.
    const take = order === undefined ? book.current() : book.find(order);
    if (take === null || take === undefined) return;
    const keeper = this.#keeper(cameraId);
    if (command === 'take-start') {
      // A part that ended there without this hub is not a failure; the camera reports its state.
      if (code !== 'TAKE_NOT_RUNNING') this.#fail(take.id, keeper, { code, reason });
    } else if (command === 'take-stop' && order !== undefined && code === 'TAKE_UNKNOWN') {
      this.#fail(take.id, keeper, {
        code,
        reason: 'it has no such take: the order to start it did not arrive',
      });
    }
  }

  #fail(takeId: string, keeper: Keeper, { code, reason }: Pick<Refusal, 'code' | 'reason'>): void {
    const { book } = this.#options;
    const all = book.find(takeId)?.cameras ?? [];
    const parts = all.filter((one) => isKeptBy(one, keeper) && isUnfinished(one));
    const failed = parts.map((one): TakeCamera => ({ ...one, state: 'failed', reason }));
    if (failed.length > 0) book.hear(takeId, keeper, failed);
    this.#answered(takeId, keeper.id, { device: keeper.name, code, reason });
  }

  #answered(takeId: string, cameraId: string, refusal: Refusal | null): void {
    this.#awaited.get(keyOf(takeId, cameraId))?.resolve(refusal);
  }

  #keeper(cameraId: string): Keeper {
    const found = this.#options.cameras?.list().find(({ id }) => id === cameraId);
    return { id: cameraId, name: found?.name ?? cameraId };
  }
}

function keyOf(takeId: string, cameraId: string): string {
  return `${takeId} ${cameraId}`;
}
