import type { Logger } from 'pino';
import { z } from 'zod';
import { listOf, type StateSection, type StateStore } from '../config/state.ts';
import { type Take, type TakeCamera, takeSchema } from '../contract/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';
import { merged, relisted } from './take-list.ts';
import { isAtWork, isKeptBy, isRunning, isUnfinished, type Keeper, takeStateOf } from './take-state.ts';

const keptTakes = 100;
const listedTakes = 1000;

/** What a hub remembers of takes whose masters lie on its cameras. */
export const takesSection = {
  name: 'takes',
  schema: z.object({
    conducted: listOf(takeSchema),
    /**
     * The disk may be away when the take ends, and then cannot be asked. Absent: a release before this one did not record it.
     */
    running: takeSchema.shape.id.nullable().optional(),
  }),
} as const satisfies StateSection<z.ZodObject>;

/** The stores of takes, and their subscribers. */
export interface TakeBookOptions {
  readonly state: StateStore;
  readonly onTake: (take: Take) => void;
  /** The take was deleted everywhere. */
  readonly onGone: (takeId: string) => void;
  readonly log: Logger;
}

/** All known takes, newest first, and what must be remembered of them. */
export class TakeBook {
  readonly #options: TakeBookOptions;
  #takes: readonly Take[] = [];
  #saving: Promise<void> = Promise.resolve();
  /** What was last passed on to be saved. */
  #saved: { readonly kept: number; readonly running: string | null | undefined } = {
    kept: 0,
    running: undefined,
  };

  constructor(options: TakeBookOptions) {
    this.#options = options;
  }

  /** Reads what is remembered. */
  open(): void {
    const { conducted, running } = this.#options.state.get(takesSection);
    this.#saved = { kept: conducted.length, running };
    this.#takes = merged([], conducted);
  }

  /** Adds what lies on the disks at the start of the program: they know more about this machine's cameras. */
  addFound(found: readonly Take[]): void {
    this.#takes = merged(found, this.#takes);
  }

  /**
   * The takes on the disks; one of them may have appeared or disappeared. Reading takes time: of takes that came or went since
   * `listedThen`, this book knows more.
   */
  relist(found: readonly Take[], listedThen: readonly Take[]): void {
    const then = new Set(listedThen.map(({ id }) => id));
    const now = new Set(this.#takes.map(({ id }) => id));
    const still = found.filter(({ id }) => now.has(id) || !then.has(id));
    const came = [...now].filter((id) => !then.has(id));
    this.#takes = relisted(this.#takes, still, came);
  }

  list(): readonly Take[] {
    return this.#takes;
  }

  find(id: string): Take | undefined {
    return this.#takes.find((take) => take.id === id);
  }

  /** Rejects with TAKE_UNKNOWN. */
  get(id: string): Take {
    const take = this.find(id);
    if (take === undefined) throw new ApplianceError('TAKE_UNKNOWN', `There is no take "${id}".`);
    return take;
  }

  /** The running take, or null. */
  current(): Take | null {
    return this.#takes.find(isRunning) ?? null;
  }

  put(take: Take): void {
    const next = { ...take, state: takeStateOf(take.cameras) };
    const before = this.find(take.id);
    const all = [next, ...this.#takes.filter((one) => one.id !== take.id)];
    all.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
    this.#takes = newest(all, listedTakes);
    this.#options.onTake(next);
    if (before?.state !== next.state || before.stoppedAt !== next.stoppedAt) this.#save();
  }

  drop(id: string): void {
    if (this.find(id) === undefined) return;
    this.#takes = this.#takes.filter((take) => take.id !== id);
    this.#options.onGone(id);
    this.#save();
  }

  /** Takes what an appliance says about its cameras of a take; null: this one. */
  hear(takeId: string, keeper: Keeper | null, heard: readonly TakeCamera[]): void {
    const take = this.find(takeId);
    if (take === undefined) return;
    const names = new Set(heard.map(({ camera }) => camera));
    const others = take.cameras.filter((one) => !isKeptBy(one, keeper) || !names.has(one.camera));
    const cameras = [...others, ...heard.map((one) => keptBy(one, keeper))].sort(
      (a, b) => a.camera.localeCompare(b.camera) || (a.deviceId ?? '').localeCompare(b.deviceId ?? ''),
    );
    this.put({ ...take, cameras, stoppedAt: take.stoppedAt ?? endOf(cameras) });
  }

  /** A camera may have been given another name since it began its part. */
  noteName(keeper: Keeper): void {
    for (const take of this.#takes) {
      const isOld = (one: TakeCamera) => one.deviceId === keeper.id && one.device !== keeper.name;
      if (!take.cameras.some(isOld)) continue;
      this.put({ ...take, cameras: take.cameras.map((one) => (isOld(one) ? keptBy(one, keeper) : one)) });
    }
  }

  /** Settles once what was passed on is on the disk, or cannot be. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #save(): void {
    const conducted = this.#takes.filter((take) => take.cameras.some(({ device }) => device !== null));
    const running = this.current()?.id ?? null;
    const kept = conducted.length;
    // A machine that conducts no others writes only at the start and at the end of a take.
    if (kept === 0 && this.#saved.kept === 0 && running === this.#saved.running) return;
    this.#saved = { kept, running };
    const next = { conducted: newest(conducted, keptTakes), running };
    const write = () => this.#options.state.update(takesSection, () => next);
    this.#saving = this.#saving.then(write).catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'the list of takes cannot be kept');
    });
  }
}

/** A take whose last camera has just ended by itself, as on a full disk, ends with it; null: some of them still record. */
function endOf(cameras: readonly TakeCamera[]): string | null {
  return cameras.some(isUnfinished) ? null : new Date().toISOString();
}

/** The first ones, and all that still run or are finished: a board without a clock may begin a take in the past. */
function newest(takes: readonly Take[], most: number): Take[] {
  return takes.filter((take, index) => index < most || isRunning(take) || take.cameras.some(isAtWork));
}

/** A camera's part, with the appliance that keeps it. That appliance's own report counts. */
function keptBy({ deviceId: _, ...part }: TakeCamera, keeper: Keeper | null): TakeCamera {
  return keeper === null ? { ...part, device: null } : { ...part, device: keeper.name, deviceId: keeper.id };
}
