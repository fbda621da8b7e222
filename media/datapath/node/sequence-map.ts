const MAX_SEGMENTS = 16;

interface Segment {
  /** First number in the viewer's space. */
  readonly from: number;
  /** First number behind the segment; infinite for the current one. */
  to: number;
  /** Viewer's number minus track's number. */
  readonly offset: number;
}

/**
 * Maps a track's sequence numbers to those of one viewer. Packets left out on purpose leave no gap, so that the viewer does not
 * request them; lost packets do.
 */
export class SequenceMap {
  #segments: Segment[] = [];
  #next: number;

  constructor(firstSequence: number) {
    this.#next = firstSequence;
  }

  /** The viewer's number that the next new packet gets. */
  get next(): number {
    return this.#next;
  }

  /** From here on track packet `trackSequence` follows directly on the viewer's last one. */
  continueAt(trackSequence: number): void {
    this.#endSegment();
    this.#segments.push({
      from: this.#next,
      to: Number.POSITIVE_INFINITY,
      offset: this.#next - trackSequence,
    });
    if (this.#segments.length > MAX_SEGMENTS) this.#segments.shift();
  }

  /** Takes one number for a packet that is not of the track. */
  takeExtra(): number {
    this.#endSegment();
    return this.#next++;
  }

  /** The viewer's number of a track packet; null if that packet is before the viewer's start. */
  toViewer(trackSequence: number): number | null {
    const segment = this.#segments.at(-1);
    if (segment === undefined || segment.to !== Number.POSITIVE_INFINITY) return null;
    const viewer = trackSequence + segment.offset;
    if (viewer < segment.from) return null;
    if (viewer >= this.#next) this.#next = viewer + 1;
    return viewer;
  }

  /** The track's number of a packet that the viewer names; null if it was never sent or is forgotten. */
  toTrack(viewerSequence: number): number | null {
    if (viewerSequence >= this.#next) return null;
    for (let i = this.#segments.length - 1; i >= 0; i--) {
      const segment = this.#segments[i];
      if (segment !== undefined && viewerSequence >= segment.from) {
        return viewerSequence < segment.to ? viewerSequence - segment.offset : null;
      }
    }
    return null;
  }

  #endSegment(): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.to === Number.POSITIVE_INFINITY) last.to = this.#next;
  }
}
