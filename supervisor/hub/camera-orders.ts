import { randomUUID } from 'node:crypto';
import { RushlightError } from '../../common/errors.ts';
import { untilAborted } from '../../common/pause.ts';
import type { AgentDown, LinkedCameras } from '../contract/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';

type Order = Extract<AgentDown, { order: string }>;
/** An order without its number. */
export type OrderText = Order extends infer One ? (One extends Order ? Omit<One, 'order'> : never) : never;

/** A camera refused an order. `code` is the camera's own. */
export class OrderRefusedError extends RushlightError {
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.code = code;
  }
}

interface Waiting {
  readonly cameraId: string;
  readonly answer: PromiseWithResolvers<void>;
}

const defaultAnswerWithinMs = 15_000;

/** Gives orders to cameras over their links, and waits for the answer to each. */
export class CameraOrders {
  readonly #cameras: LinkedCameras;
  readonly #answerWithinMs: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(cameras: LinkedCameras, answerWithinMs = defaultAnswerWithinMs) {
    this.#cameras = cameras;
    this.#answerWithinMs = answerWithinMs;
  }

  /** Listens for the answers until abort. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#cameras.subscribe({
      accepted: (cameraId, { order }) => this.#answered(cameraId, order)?.resolve(),
      refused: (cameraId, { order, code, reason }) =>
        this.#answered(cameraId, order)?.reject(new OrderRefusedError(code, reason)),
      changed: () => this.#giveUpLost(),
    });
    await untilAborted(signal);
    unsubscribe();
    for (const { answer } of this.#waiting.values()) answer.reject(unreachable('the hub stops'));
  }

  /** Settles once the camera has accepted. Rejects with its refusal, or MEMBER_UNREACHABLE. */
  async give(cameraId: string, text: OrderText): Promise<void> {
    const order = randomUUID();
    const answer = Promise.withResolvers<void>();
    this.#waiting.set(order, { cameraId, answer });
    const late = setTimeout(
      () => answer.reject(unreachable('the camera does not answer')),
      this.#answerWithinMs,
    );
    try {
      const sent = this.#cameras.send(cameraId, { ...text, order } as Order);
      if (!sent) answer.reject(unreachable('the camera is not connected'));
      await answer.promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(order);
    }
  }

  #answered(cameraId: string, order: string | undefined): PromiseWithResolvers<void> | null {
    const waiting = order === undefined ? undefined : this.#waiting.get(order);
    return waiting?.cameraId === cameraId ? waiting.answer : null;
  }

  #giveUpLost(): void {
    if (this.#waiting.size === 0) return;
    const online = new Set(this.#cameras.list().flatMap((camera) => (camera.online ? [camera.id] : [])));
    for (const { cameraId, answer } of this.#waiting.values()) {
      if (!online.has(cameraId)) answer.reject(unreachable('the link to the camera ended'));
    }
  }
}

function unreachable(why: string): ApplianceError {
  return new ApplianceError('MEMBER_UNREACHABLE', why);
}
