import type { WebSocket } from 'ws';
import type { ConfirmReason, NewCamera } from '../contract/index.ts';

/** A connection that waits for adoption. */
export interface Applicant {
  readonly camera: NewCamera;
  readonly socket: WebSocket;
}

/** The answer to a request for a place: rejected, or in, possibly in the place of another one. */
export type Placed = { readonly refusal: string } | { readonly displaced: Waiting | null };

interface Waiting extends Applicant {
  readonly sinceMs: number;
}

const maxWaiting = 32;
/** Cameras behind one address: a switch shows each by its own; only a router with NAT shows one address for all. */
const maxPerAddress = 8;
/** Several may claim one id; the codes tell them apart. */
const maxPerId = 4;
const maxAtDoor = 64;
const maxAtDoorPerAddress = 8;
/** No one loses a place before the owner could have compared the codes. */
const protectedMs = 2 * 60_000;

/**
 * The places of those who wait for adoption, all of them unknown. When places are short, the address that holds the most gives
 * one up to an address that holds fewer, and one that has waited long gives way to one that just came: no number of strangers
 * keeps a camera out. No one loses a place because another connection claims the same id.
 */
export class WaitingRoom {
  readonly #now: () => number;
  readonly #atDoor = new Map<string, number>();
  #waiting: readonly Waiting[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  list(): readonly Applicant[] {
    return this.#waiting;
  }

  /**
   * Counts a connection that has not introduced itself yet; null if there are too many. Returns the function that ends the
   * count.
   */
  enter(address: string): (() => void) | null {
    const mine = this.#atDoor.get(address) ?? 0;
    const all = [...this.#atDoor.values()].reduce((sum, count) => sum + count, 0);
    if (mine >= maxAtDoorPerAddress || all >= maxAtDoor) return null;
    this.#atDoor.set(address, mine + 1);
    let counted = true;
    return () => {
      if (!counted) return;
      counted = false;
      const left = (this.#atDoor.get(address) ?? 1) - 1;
      if (left > 0) this.#atDoor.set(address, left);
      else this.#atDoor.delete(address);
    };
  }

  take(applicant: Applicant): Placed {
    const { id, address } = applicant.camera;
    const ofAddress = this.#waiting.filter(({ camera }) => camera.address === address);
    if (ofAddress.length >= maxPerAddress) return { refusal: 'too many wait at this address' };
    const ofId = this.#waiting.filter(({ camera }) => camera.id === id);
    if (ofId.some(({ camera }) => camera.address === address)) {
      return { refusal: 'a camera with this id waits already' };
    }
    const crowd = ofId.length >= maxPerId ? ofId : this.#waiting.length >= maxWaiting ? this.#waiting : null;
    const displaced = crowd === null ? null : this.#dispensable(crowd, ofAddress.length);
    if (crowd !== null && displaced === null) return { refusal: 'too many cameras wait: try again soon' };
    const stay = this.#waiting.filter((one) => one !== displaced);
    this.#waiting = [...stay, { ...applicant, sinceMs: this.#now() }];
    return { displaced };
  }

  /** Notes whether the owner has to confirm on the camera first. Returns whether that changed. */
  setConfirm(socket: WebSocket, confirm: ConfirmReason | null): boolean {
    const before = this.#waiting.find((one) => one.socket === socket);
    if (before === undefined || (before.camera.confirm ?? null) === confirm) return false;
    const { confirm: _before, ...camera } = before.camera;
    const after = { ...before, camera: confirm === null ? camera : { ...camera, confirm } };
    this.#waiting = this.#waiting.map((one) => (one === before ? after : one));
    return true;
  }

  /** Whether it was waiting. */
  leave(socket: WebSocket): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one.socket !== socket);
    return this.#waiting.length < before;
  }

  /**
   * Which one gives up its place to a connection whose address holds `held`: the latest of a fuller address, else the one that
   * waited longest.
   */
  #dispensable(crowd: readonly Waiting[], held: number): Waiting | null {
    const heldBy = (one: Waiting) =>
      this.#waiting.filter(({ camera }) => camera.address === one.camera.address).length;
    const fuller = crowd
      .filter((one) => heldBy(one) > held + 1)
      .toSorted((a, b) => heldBy(b) - heldBy(a) || b.sinceMs - a.sinceMs);
    const longest = crowd.toSorted((a, b) => a.sinceMs - b.sinceMs)[0];
    if (fuller[0] !== undefined) return fuller[0];
    const isLong = longest !== undefined && this.#now() - longest.sinceMs > protectedMs;
    return isLong ? longest : null;
  }
}
