import {
  type Feed,
  type LinkedCamera,
  offlineFeed,
  type SourceStatus,
  type UnpluggedDevice,
} from '../contract/index.ts';

/** Where the list of feeds comes from. */
export interface FeedSources {
  /** The feeds of the media process. */
  readonly media: readonly Feed[];
  readonly mediaRuns: boolean;
  readonly jpeg: readonly Feed[];
  /** Sources and remotes of this machine. */
  readonly sources: readonly SourceStatus[];
  /** Cameras of this machine that were used and are not plugged in: viewers may still wait for their feeds. */
  readonly unplugged: readonly UnpluggedDevice[];
  /** What linked cameras report about their sources; empty on a camera. */
  readonly cameras: readonly LinkedCamera[];
}

interface Expected {
  readonly id: string;
  readonly label: string;
  readonly reason: string | null;
}

/**
 * All feeds: those that are there, and as offline those that should be. Expected ones come first, in the order of the settings,
 * so that a feed that goes and returns keeps its place. Pure.
 */
export function listFeeds(from: FeedSources): Feed[] {
  const present = new Map<string, Feed>();
  for (const feed of [...from.media, ...from.jpeg]) {
    const known = present.get(feed.id);
    if (known === undefined || known.state === 'offline') present.set(feed.id, feed);
  }
  const expected = expectedFeeds(from);
  const listed = expected.map((expectation) => {
    const feed = present.get(expectation.id);
    present.delete(expectation.id);
    if (feed === undefined) return offlineFeed(expectation);
    return feed.state === 'online' ? feed : { ...feed, reason: feed.reason ?? expectation.reason };
  });
  return [...listed, ...[...present.values()].map((feed) => withAbsence(feed, from.unplugged))];
}

/** Why a feed shows nothing after its camera was pulled while people watch it. */
function withAbsence(feed: Feed, unplugged: readonly UnpluggedDevice[]): Feed {
  const away = unplugged.find((device) => device.feed === feed.id);
  if (away === undefined || feed.state === 'online') return feed;
  return { ...feed, label: away.label, reason: `${away.label} was unplugged.` };
}

function expectedFeeds({ sources, cameras, mediaRuns }: FeedSources): Expected[] {
  const found = new Map<string, Expected>();
  const away = mediaRuns ? null : 'The media process is being started.';
  for (const { id, label, state, reason } of sources) {
    if (state !== 'stopped') found.set(id, { id, label, reason: reason ?? away });
  }
  for (const camera of cameras) {
    const gone = camera.online ? null : `${camera.name} is not connected.`;
    for (const { id, label, state, reason } of camera.sources) {
      if (state !== 'stopped' && !found.has(id)) found.set(id, { id, label, reason: gone ?? reason ?? away });
    }
  }
  return [...found.values()];
}
