import type { Component, Components } from './component.ts';

interface Absence {
  readonly component: Component;
  readonly sinceMs: number;
}

/**
 * Published entities that no longer exist. They stay in the document for a while, because most of them return: after a start
 * the feeds of cameras come one by one, and removing an entity also removes the owner's name and settings for it. After that
 * the document names them with only their platform, which makes Home Assistant remove them; leaving them out would keep them
 * there.
 */
export class Departures {
  readonly #graceMs: number;
  readonly #absent = new Map<string, Absence>();
  readonly #gone = new Map<string, Component>();
  #present: Components;

  /** @param published The entities in the broker's document. */
  constructor(published: Components, graceMs: number) {
    this.#present = published;
    this.#graceMs = graceMs;
  }

  /** Everything that exists or may return. */
  get living(): Components {
    return {
      ...this.#present,
      ...Object.fromEntries([...this.#absent].map(([key, { component }]) => [key, component])),
    };
  }

  /** Whether something has been away so long that the document must say so. */
  isDue(nowMs: number): boolean {
    return [...this.#absent.values()].some(({ sinceMs }) => nowMs - sinceMs >= this.#graceMs);
  }

  /** Takes note of what exists now; returns what the document names besides. */
  update(present: Components, nowMs: number): Components {
    for (const [key, component] of Object.entries(this.#present)) {
      if (present[key] === undefined) this.#absent.set(key, { component, sinceMs: nowMs });
    }
    for (const key of Object.keys(present)) {
      this.#absent.delete(key);
      this.#gone.delete(key);
    }
    this.#present = present;
    for (const [key, { component, sinceMs }] of this.#absent) {
      if (nowMs - sinceMs < this.#graceMs) continue;
      this.#absent.delete(key);
      this.#gone.set(key, { platform: component.platform });
    }
    const waiting = [...this.#absent].map(([key, { component }]): [string, Component] => [key, component]);
    return Object.fromEntries([...this.#gone, ...waiting]);
  }
}
