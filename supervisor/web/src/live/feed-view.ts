import type { Feed, LinkedCamera, SourceStatus, Status } from '../../../contract/index.ts';
import type { PlayerPhase } from './feed-player.ts';

/** Whether a feed consists of JPEG pictures, which no WebRTC session carries. */
export const isPictures = (feed: Feed): boolean => feed.codec === 'mjpeg';

/** The source a feed comes from, as far as this appliance knows. */
export interface FeedOrigin {
  readonly source: SourceStatus | null;
  /** The linked camera; null for sources of this appliance. */
  readonly camera: LinkedCamera | null;
}

const belongsTo = (camera: LinkedCamera, feed: Feed): boolean =>
  feed.publisher?.camera === camera.id ||
  feed.publisher?.camera === camera.name ||
  feed.id === camera.name ||
  feed.id.startsWith(`${camera.name}-`);

const sourceOf = (sources: readonly SourceStatus[], feedId: string): SourceStatus | null =>
  sources.find(({ id }) => id === feedId) ??
  sources.find(({ id }) => feedId.endsWith(`-${id}`)) ??
  (sources.length === 1 ? (sources[0] ?? null) : null);

/** Finds the source behind a feed. An offline feed names no publisher, so the names must be enough. */
export const originOf = (status: Status, feed: Feed): FeedOrigin => {
  const local = status.sources.find(({ id }) => id === feed.id);
  if (local !== undefined && (feed.publisher?.camera ?? null) === null)
    return { source: local, camera: null };
  const camera =
    status.cameras.find((candidate) => belongsTo(candidate, feed)) ??
    status.cameras.find(({ sources }) => sources.some(({ id }) => id === feed.id));
  if (camera === undefined) return { source: null, camera: null };
  return { source: sourceOf(camera.sources, feed.id), camera };
};

/** The phase of pictures that replace video: if they do not come either, both have the same cause. */
export const phaseOfPictures = (phase: PlayerPhase, whyPictures: string | null): PlayerPhase =>
  phase.kind === 'waiting' && whyPictures !== null
    ? { ...phase, reason: `${whyPictures} Pictures do not arrive either; trying again.` }
    : phase;

/** The state of a tile in a word. */
export type TileState = 'live' | 'stalled' | 'offline' | 'connecting' | 'reconnecting';

/** A tile's state and its reason. */
export interface TileCondition {
  readonly state: TileState;
  /** Why it is not live. */
  readonly reason: string | null;
}

const reasonOf = ({ source, camera }: FeedOrigin): string | null => {
  if (camera !== null && !camera.online) return `${camera.name} is not connected.`;
  if (source === null) return null;
  if (source.reason !== null) return source.reason;
  if (source.state === 'starting') return 'The source is starting.';
  if (source.state === 'stopped') return 'The source is stopped.';
  return null;
};

/**
 * What a tile says about its feed. The appliance knows why there are no frames; the player knows whether they arrive here.
 * Without a fresh status only the player counts.
 */
export const conditionOf = (
  feed: Feed,
  phase: PlayerPhase,
  origin: FeedOrigin,
  statusIsFresh: boolean,
): TileCondition => {
  const playing = phase.kind === 'playing';
  if (!statusIsFresh && playing) return { state: 'live', reason: null };
  if (feed.state === 'offline') {
    const unknown =
      origin.source === null
        ? 'Nobody publishes this feed.'
        : 'The source runs, but its picture does not arrive here.';
    return { state: 'offline', reason: reasonOf(origin) ?? feed.reason ?? unknown };
  }
  if (feed.state === 'stalled') {
    return { state: 'stalled', reason: reasonOf(origin) ?? feed.reason ?? 'The source sends no frames.' };
  }
  if (playing) return { state: 'live', reason: null };
  if (phase.kind === 'waiting') return { state: 'reconnecting', reason: phase.reason };
  return { state: 'connecting', reason: null };
};

/** Each state for people. */
export const tileStateNames: Readonly<Record<TileState, string>> = {
  live: 'Live',
  stalled: 'Stalled',
  offline: 'Offline',
  connecting: 'Connecting',
  reconnecting: 'Reconnecting',
};
