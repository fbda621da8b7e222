import type { ConfirmReason } from '../contract/index.ts';

/** A hub that was heard on the network, identified by what it cannot share with another one: see {@link hubKey}. */
export interface HeardHub {
  readonly key: string;
  /** Start of the period without a long silence. Monotonic, in milliseconds. */
  readonly sinceMs: number;
}

/** What the decision about a hub's key depends on. */
export interface ConsentFacts {
  /** The hub that would adopt this camera. */
  readonly hub: string;
  /** Every hub that was heard within the last minutes. */
  readonly heard: readonly HeardHub[];
  /** The settings name this hub: its URL, or the certificate that it shows. */
  readonly isNamed: boolean;
  /** It proved by its pinned key to be the hub that adopted this camera before. */
  readonly isOwn: boolean;
  /** The owner said on this camera that the hub with this code is theirs. */
  readonly isConfirmed: boolean;
  /** The owner made this camera forget its former hub. */
  readonly hasForgotten: boolean;
  readonly nowMs: number;
}

/** `given`; `soon`: happens by itself unless another hub is heard; else why the owner has to confirm on the camera. */
export type Consent = 'given' | 'soon' | ConfirmReason;

/** How long a hub has to be the only one: the camera asks the network at its start, and all hubs on it answer. */
export const aloneForMs = 10_000;
/** A camera asks the network at least every 45 s: a hub that was silent for this long missed six questions. */
export const rememberForMs = 5 * 60_000;
/** Strangers can announce as many as they like; two are enough to know that there are several. */
const maxHeard = 64;

/**
 * Decides whether a camera takes the key that a hub gives it. Any hub can claim that its owner adopted the camera: the person
 * who compares codes is on the other side. So the first hub is trusted if it is the only one, and otherwise the owner decides
 * here. Pure.
 */
export function consentTo(facts: ConsentFacts): Consent {
  const { hub, heard, isNamed, isOwn, isConfirmed, hasForgotten, nowMs } = facts;
  if (isNamed || isOwn || isConfirmed) return 'given';
  if (hasForgotten) return 'forgot-hub';
  const [first, ...others] = heard;
  if (first?.key !== hub || others.length > 0) return 'several-hubs';
  return nowMs - first.sinceMs < aloneForMs ? 'soon' : 'given';
}

/** With HTTPS a hub is its certificate, which it has to show; without, only its address distinguishes it. */
export function hubKey(id: string, tlsFingerprint: string | null, urls: readonly string[]): string {
  return tlsFingerprint ?? JSON.stringify([id, ...new Set(urls.toSorted())]);
}

/** Remembers for some minutes which hubs were heard: a goodbye in another hub's name hides that hub from no camera. */
export class HeardHubs {
  readonly #heard = new Map<string, { readonly sinceMs: number; readonly lastMs: number }>();

  note(key: string, nowMs: number): void {
    const before = this.#heard.get(key);
    this.#heard.delete(key);
    this.#forget(nowMs);
    const [oldest] = this.#heard.keys();
    if (oldest !== undefined && this.#heard.size >= maxHeard) this.#heard.delete(oldest);
    const isKnown = before !== undefined && nowMs - before.lastMs <= rememberForMs;
    this.#heard.set(key, { sinceMs: isKnown ? before.sinceMs : nowMs, lastMs: nowMs });
  }

  /** `known`: keys of hubs that count, no matter how long ago they were heard. */
  list(known: readonly string[], nowMs: number): readonly HeardHub[] {
    for (const key of known) {
      if (!this.#heard.has(key)) this.#heard.set(key, { sinceMs: nowMs, lastMs: nowMs });
    }
    const isKnown = new Set(known);
    return [...this.#heard]
      .filter(([key, { lastMs }]) => isKnown.has(key) || nowMs - lastMs <= rememberForMs)
      .map(([key, { sinceMs }]) => ({ key, sinceMs }));
  }

  #forget(nowMs: number): void {
    for (const [key, { lastMs }] of this.#heard) {
      if (nowMs - lastMs > rememberForMs) this.#heard.delete(key);
    }
  }
}
