import type { ApiEvent, Feed, UnpluggedDevice } from '../../../contract/index.ts';
import { offlineFeed } from '../../../contract/offline-feed.ts';
import type { AppState } from '../app/app-state.ts';

const awayFeed = ({ label, feed }: UnpluggedDevice): Feed =>
  offlineFeed({
    id: feed,
    label,
    reason: `${label} was unplugged. Plug it in again, in any port: its picture resumes here automatically.`,
  });

/** Feeds of unplugged cameras, as offline. They leave the wall; a user who looks at one of them can stay. */
export const awayFeeds = (unplugged: readonly UnpluggedDevice[]): Feed[] => unplugged.map(awayFeed);

/** The feeds on the wall. The appliance keeps listing a feed that someone still waits for. */
export const presentFeeds = (feeds: readonly Feed[], away: readonly Feed[]): Feed[] =>
  feeds.filter(({ id, state }) => state === 'online' || away.every((feed) => feed.id !== id));

/**
 * Places of the feeds, including those that left: each keeps its place for as long as the page is open, because a moved element
 * would leave full screen. A new feed comes behind the one it follows in the appliance's list.
 */
export const placesOf = (known: readonly string[], listed: readonly string[]): readonly string[] => {
  let places = known;
  for (const [index, id] of listed.entries()) {
    if (places.includes(id)) continue;
    const before = index === 0 ? -1 : places.indexOf(listed[index - 1] ?? '');
    places = places.toSpliced(before + 1, 0, id);
  }
  return places;
};

/** The message when a camera that makes a picture is pulled, or is back; null if that is not new. */
export const plugNews = (
  event: ApiEvent,
  { devices, unplugged }: Pick<AppState, 'devices' | 'unplugged'>,
): string | null => {
  if (event.type === 'device-removed') {
    const gone = devices?.find(({ id, source }) => id === event.id && source !== null);
    return gone === undefined ? null : `${gone.label} was unplugged.`;
  }
  if (event.type !== 'device-added') return null;
  const back = unplugged.find(({ id }) => id === event.device.id);
  return back === undefined ? null : `${back.label} is plugged in again.`;
};
