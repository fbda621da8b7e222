import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { ChildHost } from '../../../common/child-host.ts';
import { gateOf } from '../../../common/disk-gate.ts';
import { pause } from '../../../common/pause.ts';
import { isDiskTrouble, isSilence, withPatience } from '../disk/disk-trouble.ts';
import { TakeUnfinishedError } from '../errors.ts';
import { childName } from '../recorder/child-name.ts';
import { concluded } from '../take/conclusion.ts';
import type { CameraRecord, Segment } from '../take/manifest.ts';
import { segmentStem, type Take } from '../take/take.ts';
import { hashQuietly } from './hash-file.ts';
import { verifyMaster } from './verify.ts';

const dayMs = 86_400_000;
const busyLookMs = 200;

/** What the check needs. */
export interface MasterCheckOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  /** All takes on the disks that are present. */
  readonly takes: () => Promise<readonly Take[]>;
  /** The folders of takes whose disks are present. */
  readonly roots: () => Promise<readonly string[]>;
  /** While something is recorded or finished nothing is read. */
  readonly isBusy: () => boolean;
  readonly onChange?: (takeId: string) => void;
  /** Default 10 s. */
  readonly lookMs?: number;
  /** How old the last proof of a master may be. Default 30 days. */
  readonly maxAgeMs?: number;
  /** The same for masters on a disk that was away. Default one day. */
  readonly maxAgeAfterAwayMs?: number;
  /** How long a disk may take for any part of a master before it counts as one that hangs. Default: see Reading. */
  readonly patienceMs?: number;
  readonly now?: () => number;
}

/** The master that is read at the moment. */
export interface MasterCheckProgress {
  readonly take: string;
  readonly camera: string;
  /** Masters of the request, or of those due, that are done. */
  readonly done: number;
  readonly of: number;
}

interface Order {
  readonly take: Take;
  readonly camera: string;
  readonly segment: Segment;
}

/**
 * Reads kept masters again and compares them with their SHA-256: each about once a month, soon after its disk was away, and on
 * request. It rests while anything is recorded. take.json contains when a master was checked, so that a restart continues where
 * it was.
 */
export class MasterCheck {
  readonly #options: MasterCheckOptions;
  readonly #wanted = new Set<string>();
  /** When each disk came back, by its folder. */
  readonly #returned = new Map<string, number>();
  readonly #seen = new Map<string, boolean>();
  #current: MasterCheckProgress | null = null;
  #poked = Promise.withResolvers<void>();

  constructor(options: MasterCheckOptions) {
    this.#options = options;
  }

  get progress(): MasterCheckProgress | null {
    return this.#current;
  }

  /** Checks every master of a take as soon as nothing is recorded. */
  request(takeId: string): void {
    this.#wanted.add(takeId);
    this.#poked.resolve();
  }

  /** Whether a take waits for its check, or is being checked. */
  isWanted(takeId: string): boolean {
    return this.#wanted.has(takeId);
  }

  /** Until abort. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { lookMs = 10_000, logger } = this.#options;
    while (!signal.aborted) {
      this.#poked = Promise.withResolvers<void>();
      try {
        await this.#look(signal);
      } catch (error) {
        // A take that begins is no failure.
        if (!signal.aborted && !(error instanceof TakeUnfinishedError))
          logger.warn({ err: error }, 'kept masters could not be checked');
      }
      this.#current = null;
      // An abort only ends the pause early.
      await Promise.race([this.#poked.promise, pause(lookMs, signal)]);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    await this.#noteDisks();
    if (this.#options.isBusy()) return;
    const takes = (await this.#options.takes()).filter(({ damage }) => damage === null);
    const asked = [...this.#wanted];
    const hasNewRequest = () => [...this.#wanted].some((id) => !asked.includes(id));
    const requested = takes.filter(({ manifest }) => asked.includes(manifest.id));
    // A disk that hangs holds up no other one, and what was requested of it waits until it answers.
    const waiting = new Set(requested.filter((take) => !answers(take)));
    const ordered = requested.filter(answers).flatMap(ordersOf);
    const due = takes.flatMap(ordersOf).filter((order) => this.#isDue(order));
    due.sort((a, b) => provenAt(a.segment) - provenAt(b.segment));
    const orders = ordered.length > 0 ? ordered : due;
    for (const [done, order] of orders.entries()) {
      const { take, camera } = order;
      if (!answers(take)) {
        waiting.add(take);
        continue;
      }
      this.#current = { take: take.manifest.id, camera, done, of: orders.length };
      this.#options.onChange?.(take.manifest.id);
      await this.#check(order, signal).catch((error: unknown) => {
        if (signal.aborted || error instanceof TakeUnfinishedError) throw error;
        if (isSilence(error)) waiting.add(take);
        this.#options.logger.warn(
          { err: error, take: take.manifest.id, camera },
          'a kept master could not be checked',
        );
      });
      // Requests come before masters that are merely due.
      if (ordered.length === 0 && hasNewRequest()) break;
    }
    const isNew = hasNewRequest();
    const left = [...waiting].map(({ manifest }) => manifest.id);
    for (const id of asked) if (!left.includes(id)) this.#wanted.delete(id);
    this.#current = null;
    for (const id of asked) this.#options.onChange?.(id);
    if (isNew) this.#poked.resolve();
  }

  async #check({ take, camera, segment }: Order, signal: AbortSignal): Promise<void> {
    const { host, logger, isBusy, onChange, patienceMs } = this.#options;
    const { id } = take.manifest;
    const files = take.files(camera, segment.number);
    const name = (job: string) => childName(job, id, camera, segmentStem(segment.number));
    const order = { host, name: name('check'), file: files.master, mustRest: isBusy, signal, patienceMs };
    const hash = await withPatience(() => hashQuietly(order), { signal, logger }).catch((error: unknown) => {
      if (signal.aborted || !isDiskTrouble(error) || isSilence(error)) throw error;
      logger.error({ err: error, take: id, camera, segment: segment.number }, 'a kept master cannot be read');
      return undefined;
    });
    const at = new Date(this.#now()).toISOString();
    const wasRight = segment.verified?.ok === true;
    if (hash !== undefined && hash === segment.sha256 && wasRight) {
      await this.#state(take, camera, { ...segment, checkedAt: at });
      return;
    }
    // Reading it as pictures shows which frames are affected, and whether one that was damaged is right (again).
    const { codec = 'ffv1', strategy = 'direct' } = take.manifest.cameras[camera] ?? {};
    const { sha256, clean } = segment;
    const expected = { codec, sha256, clean: clean || strategy === 'spool' };
    using idle = whileIdle(isBusy, signal);
    const { signal: idleSignal } = idle;
    const asked = { host, name: name('verify'), files, expected, signal: idleSignal };
    const verified = await verifyMaster(asked).catch((error: unknown) => {
      if (idleSignal.aborted || !isDiskTrouble(error) || isSilence(error)) throw error;
      const problem = `the master cannot be read: ${(error as Error).message}`;
      return {
        ok: false,
        at,
        proof: codec === 'ffv1' ? 'bit-exact' : 'decodes',
        problems: [problem],
      } as const;
    });
    // An owner wants to know when damage was first found.
    const known = segment.verified?.ok === false && !verified.ok ? segment.verified.at : verified.at;
    const problems = verified.problems.map((problem) => problem.slice(0, 2000));
    if (!verified.ok && wasRight) {
      logger.error({ take: id, camera, segment: segment.number, problems }, 'a kept master is damaged');
    }
    await this.#state(take, camera, {
      ...segment,
      verified: { ...verified, at: known, problems },
      checkedAt: at,
    });
    onChange?.(id);
  }

  #state(take: Take, camera: string, segment: Segment): Promise<void> {
    return take.updateCamera(camera, (record) => {
      const segments = record.segments.map((old) => (old.number === segment.number ? segment : old));
      return judged({ ...record, segments }, record);
    });
  }

  #isDue({ take, segment }: Order): boolean {
    const { maxAgeMs = 30 * dayMs, maxAgeAfterAwayMs = dayMs } = this.#options;
    const provenMs = provenAt(segment);
    const returnedMs = this.#returned.get(dirname(take.folder));
    const ageMs = this.#now() - provenMs;
    if (returnedMs !== undefined && provenMs < returnedMs && ageMs >= maxAgeAfterAwayMs) return true;
    // With a clock that was set back since, nothing would ever be due.
    return ageMs >= maxAgeMs || ageMs < -dayMs;
  }

  async #noteDisks(): Promise<void> {
    const now = new Set(await this.#options.roots());
    for (const root of now) {
      if (this.#seen.get(root) === false) this.#returned.set(root, this.#now());
      this.#seen.set(root, true);
    }
    for (const root of this.#seen.keys()) if (!now.has(root)) this.#seen.set(root, false);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** A signal that aborts as soon as something is recorded: this piece of work starts again later. */
function whileIdle(isBusy: () => boolean, signal: AbortSignal) {
  const busy = new AbortController();
  const look = setInterval(() => {
    if (isBusy()) busy.abort(new TakeUnfinishedError('something is being recorded'));
  }, busyLookMs);
  return {
    signal: AbortSignal.any([signal, busy.signal]),
    [Symbol.dispose]: () => clearInterval(look),
  };
}

/** Whether the disk of a take answers, as far as is known. */
function answers({ folder }: Take): boolean {
  return gateOf(folder).silentMs === null;
}

function ordersOf(take: Take): Order[] {
  if (take.manifest.state !== 'verified' && take.manifest.state !== 'failed') return [];
  return Object.entries(take.manifest.cameras).flatMap(([camera, { segments }]) =>
    segments
      .filter(({ state, sha256 }) => state === 'closed' && sha256 !== null)
      .map((segment) => ({ take, camera, segment })),
  );
}

/** When a master was last checked, with any result; 0 if it never was. */
function provenAt({ checkedAt, verified }: Segment): number {
  return Math.max(Date.parse(checkedAt ?? '') || 0, Date.parse(verified?.at ?? '') || 0);
}

/** The state of a camera's part of a take; the reason why it ended stays if nothing else changed. */
function judged(next: CameraRecord, before: CameraRecord): CameraRecord {
  const isRight = (record: CameraRecord) => record.segments.every(({ verified }) => verified?.ok === true);
  if (isRight(next) && isRight(before)) return next;
  const bad = next.segments.find(({ verified }) => verified?.ok === false);
  const ended = concluded(next, null);
  if (bad?.verified == null) return ended;
  return {
    ...ended,
    reason:
      `segment ${bad.number} is damaged, found ${bad.verified.at.slice(0, 16)}Z: ${bad.verified.problems.join('; ')}`.slice(
        0,
        2000,
      ),
  };
}
