import type { WebSocket } from 'ws';
import type { ConfirmReason, NewCamera } from '../contract/index.ts';

export interface Applicant {
  readonly camera: NewCamera;
  readonly socket: WebSocket;
}

/** How one that asks for a place is answered: refused, or in, maybe in the place of another one. */
export type Placed = { readonly refusal: string } | { readonly displaced: Waiting | null };

interface Waiting extends Applicant {
  readonly sinceMs: number;
}

const maxWaiting = 32;
/** Cameras behind one address: a switch has one for each, only a router that hides them has one for all. */
const maxPerAddress = 8;
/** Several may claim one id; the codes tell them apart. */
const maxPerId = 4;
const maxAtDoor = 64;
const maxAtDoorPerAddress = 8;
/** Nobody is sent away before the owner could have compared the codes. */
const protectedMs = 2 * 60_000;

/**
 * The places of those who wait for adoption, whom nobody knows. Where they are short, the address that holds most of them
 * gives one up to one that holds fewer, and who has waited for long to one that just came: no number of strangers keeps
 * a camera out. Nobody loses a place because another one names the same id.
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

  /** Counts one that has not introduced itself yet; null where there are too many. Returns the way to stop counting it. */
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

  /** Who gives up a place for one whose address holds `held`: the latest of a fuller address, else who waited longest. */
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
