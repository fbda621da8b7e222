import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentDown, AgentUp, LinkedCamera, LinkedCameras, Take, TakeCamera } from '../contract/index.ts';
import type { TakeBook } from './take-book.ts';
import type { Refusal } from './take-refusal.ts';
import { isKeptBy, isUnfinished, type Keeper } from './take-state.ts';

export interface TakeOrdersOptions {
  /** Cameras linked to this hub; null on a camera. */
  readonly cameras: LinkedCameras | null;
  readonly book: TakeBook;
  /** How long a camera is waited for that does not say whether it records, as one of an earlier release. */
  readonly answerWithinMs: number;
}

type Refused = Extract<AgentUp, { type: 'refused' }>;

/** The hub's word to its cameras about takes, and what they say of them. */
export class TakeOrders {
  readonly #options: TakeOrdersOptions;
  /** Starts that were not answered yet, by take and camera. */
  readonly #awaited = new Map<string, PromiseWithResolvers<Refusal | null>>();
  /** Takes that each camera was told to stop since it linked: once is enough. */
  readonly #orderedStops = new Map<string, Set<string>>();

  constructor(options: TakeOrdersOptions) {
    this.#options = options;
  }

  /** Hears what cameras say; returns the way to stop it. */
  listen(): () => void {
    return (
      this.#options.cameras?.subscribe({
        take: (cameraId, message) => this.#heard(cameraId, message),
        accepted: (cameraId, { order }) => this.#answered(order, cameraId, null),
        refused: (cameraId, message) => this.#refused(cameraId, message),
        linked: (cameraId) => this.#orderedStops.delete(cameraId),
        changed: () => this.#catchUp(),
      }) ?? (() => {})
    );
  }

  online(): readonly LinkedCamera[] {
    return (this.#options.cameras?.list() ?? []).filter(({ online }) => online);
  }

  /** Has a camera record its sources; settles with its refusal, or null where it records or says nothing in time. */
  async start(take: Take, camera: Keeper, sources: readonly string[]): Promise<Refusal | null> {
    const { cameras, answerWithinMs } = this.#options;
    const key = keyOf(take.id, camera.id);
    const answer = Promise.withResolvers<Refusal | null>();
    this.#awaited.set(key, answer);
    const { id: takeId, startedAt } = take;
    // The take is the order's number, too: a refusal says what it refuses.
    const order: AgentDown = {
      type: 'take-start',
      takeId,
      startedAt,
      cameras: [...sources],
      order: takeId,
    };
    if (cameras?.send(camera.id, order) !== true) {
      this.#fail(takeId, camera, { code: 'MEMBER_UNREACHABLE', reason: 'it is not connected' });
    }
    const late = sleep(answerWithinMs, null, { ref: false });
    return await Promise.race([answer.promise, late]).finally(() => this.#awaited.delete(key));
  }

  /** Tells every camera that has a part in a take to end it. */
  stop(take: Take): void {
    // A release before this one did not note which appliance it was.
    const isVague = take.cameras.some(({ device, deviceId }) => device !== null && deviceId === undefined);
    for (const camera of this.online()) {
      if (isVague || take.cameras.some((one) => isKeptBy(one, camera))) this.#tellStop(camera.id, take.id);
    }
  }

  /** A camera that was away when a take stopped is told when it is back. */
  #catchUp(): void {
    const { book } = this.#options;
    const running = book.current();
    for (const camera of this.online()) {
      book.noteName(camera);
      if (camera.recording !== 'recording' && camera.recording !== 'starting') continue;
      for (const take of book.list()) {
        if (take.stoppedAt === null || take.id === running?.id) continue;
        if (this.#orderedStops.get(camera.id)?.has(take.id) === true) continue;
        const waits = take.cameras.some((one) => isKeptBy(one, camera) && isUnfinished(one));
        if (waits) this.#tellStop(camera.id, take.id);
      }
    }
  }

  #tellStop(cameraId: string, takeId: string): void {
    if (this.#options.cameras?.send(cameraId, { type: 'take-stop', takeId }) !== true) return;
    const stops = this.#orderedStops.get(cameraId) ?? new Set();
    this.#orderedStops.set(cameraId, stops.add(takeId));
  }

  #heard(cameraId: string, { takeId, cameras: parts }: Extract<AgentUp, { type: 'take' }>): void {
    const keeper = this.#keeper(cameraId);
    this.#options.book.hear(takeId, keeper, parts);
    // A release before this one neither accepts nor refuses: what it says of its cameras is its answer.
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
    if (command !== 'take-start' || take === null || take === undefined) return;
    this.#fail(take.id, this.#keeper(cameraId), { code, reason });
  }

  #fail(takeId: string, keeper: Keeper, { code, reason }: Pick<Refusal, 'code' | 'reason'>): void {
    const { book } = this.#options;
    const parts = (book.find(takeId)?.cameras ?? []).filter((one) => isKeptBy(one, keeper));
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
