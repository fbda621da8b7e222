/** More feeds than a hub ever has; the labels of the oldest are forgotten. */
const mostRemembered = 256;

interface Labelled {
  readonly id: string;
  readonly label: string;
}

/**
 * The names of feeds for people. A feed that is disappearing, because its source or its camera is no longer listed, keeps its
 * name: people know it by that, not by its id.
 */
export class FeedLabels {
  readonly #listed: () => readonly Labelled[];
  readonly #known = new Map<string, string>();

  /** @param listed The sources of this machine and of its cameras; of two with one id the first gives the label. */
  constructor(listed: () => readonly Labelled[]) {
    this.#listed = listed;
  }

  of(feed: string): string {
    const label = this.#listed().find(({ id }) => id === feed)?.label;
    if (label === undefined) return this.#known.get(feed) ?? feed;
    this.#known.delete(feed);
    this.#known.set(feed, label);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostRemembered && oldest !== undefined) this.#known.delete(oldest);
    return label;
  }
}
