import { useEffect, useRef, useState } from 'preact/hooks';
import type { Device, Feed, Status } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { toHash } from '../../app/page-route.ts';
import { type Size, useSize } from '../../app/use-size.ts';
import { useWakeLock } from '../../app/use-wake-lock.ts';
import { placesOf, presentFeeds } from '../away-feeds.ts';
import { fitGrid } from '../grid-fit.ts';
import { EmptyLive } from './empty-live.tsx';
import { FeedTile } from './feed-tile.tsx';

const gap = 8;
const leastTileWidth = 156;

const gridStyle = (count: number, size: Size | null): Record<string, string> => {
  if (size === null) return {};
  const fit = fitGrid({ count, ...size, gap, leastTileWidth });
  return {
    '--columns': String(fit.columns),
    '--tile-width': `${fit.tileWidth}px`,
    '--tile-height': `${fit.tileHeight}px`,
  };
};

const show = (feed: string | null) => {
  location.hash = toHash({ page: 'live', feed });
};

/** Escape leads back, the arrow keys to the neighbours. */
const useKeys = (feeds: readonly Feed[], selected: string | null) => {
  useEffect(() => {
    if (selected === null) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      // In a control of the camera the same keys move a slider or choose from a list.
      if (event.target instanceof Element && event.target.closest('input, select') !== null) return;
      if (event.key === 'Escape') return show(null);
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      const at = feeds.findIndex(({ id }) => id === selected);
      const neighbour = feeds[(at + step + feeds.length) % feeds.length];
      if (step !== 0 && at >= 0 && neighbour !== undefined) show(neighbour.id);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [feeds, selected]);
};

interface LivePageProps {
  hidden: boolean;
  selected: string | null;
  status: Status;
  fresh: boolean;
  devices: readonly Device[] | null;
  /** Feeds of unplugged cameras. */
  away: readonly Feed[];
  controller: AppController;
}

/** The feeds to show, each in its place. Of those that are away only the one that the user looks at. */
const useShown = (listed: readonly Feed[], away: readonly Feed[], selected: string | null) => {
  const places = useRef<readonly string[]>([]);
  const present = presentFeeds(listed, away);
  const watched = away.filter(({ id }) => id === selected && present.every((feed) => feed.id !== id));
  const shown = [...present, ...watched];
  const ids = shown.map(({ id }) => id);
  places.current = placesOf(places.current, ids);
  const placeOf = ({ id }: Feed) => places.current.indexOf(id);
  return shown.toSorted((a, b) => placeOf(a) - placeOf(b));
};

/** All feeds in a grid, or one of them large. Tiles never move in the document, so their pictures never restart. */
export const LivePage = (props: LivePageProps) => {
  const { hidden, selected, status, fresh, devices, away, controller } = props;
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [audible, setAudible] = useState<string | null>(null);
  const feeds = useShown(status.feeds, away, selected);
  const single = feeds.some(({ id }) => id === selected) ? selected : null;
  useKeys(feeds, single);
  useWakeLock(!hidden && feeds.some(({ state }) => state === 'online'));
  return (
    <div class="live" hidden={hidden} ref={box} data-view={single === null ? 'grid' : 'single'}>
      {selected !== null && single === null && (
        <div class="empty">
          <h2>There is no feed “{selected}”</h2>
          <p>It may have been renamed, or its camera has not been seen since the last start.</p>
          <a class="button" href={toHash({ page: 'live', feed: null })}>
            All feeds
          </a>
        </div>
      )}
      {feeds.length === 0 && selected === null && <EmptyLive status={status} />}
      <div
        class="grid"
        hidden={feeds.length === 0 || (selected !== null && single === null)}
        style={gridStyle(feeds.length, size)}
        data-testid="grid"
      >
        {feeds.map((feed) => (
          <FeedTile
            key={feed.id}
            feed={feed}
            status={status}
            fresh={fresh}
            player={controller.players.of(feed)}
            device={devices?.find(({ source }) => source === feed.id) ?? null}
            controller={controller}
            selected={feed.id === single}
            hidden={single !== null && feed.id !== single}
            audible={audible === feed.id}
            onAudible={(on) => setAudible(on ? feed.id : null)}
          />
        ))}
      </div>
    </div>
  );
};
