import { type FeedStats, kindNamed } from '../../media/index.ts';
import type { LinkedCamera } from '../contract/index.ts';

/**
 * Milliseconds from capture to arrival here; null if the time of capture, or its clock, is unknown. The camera's clock is
 * corrected by the measured offset: the error is that of the measurement.
 */
export function feedLatencyMs(
  { feed, publisher, captureDelayMs }: Pick<FeedStats, 'feed' | 'publisher' | 'captureDelayMs'>,
  cameras: readonly LinkedCamera[],
): number | null {
  if (publisher === null || captureDelayMs === null) return null;
  if (publisher.kind === 'ingest') return rounded(captureDelayMs);
  const camera = cameras.find(({ id, name }) => publisher.peer === id || publisher.peer === name);
  if (camera === undefined || !camera.online || camera.clockOffsetMs === null) return null;
  const source = camera.sources.find(({ id }) => id === feed);
  // Only some kinds of source say when a picture was captured; those of a network camera bear the time of their arrival.
  if (source === undefined || kindNamed(source.kind)?.clock !== 'epoch') return null;
  return rounded(captureDelayMs + camera.clockOffsetMs);
}

/** A clock error below the measurement's must not make pictures arrive before they were captured. */
function rounded(ms: number): number {
  return Math.max(0, Math.round(ms * 10) / 10);
}
