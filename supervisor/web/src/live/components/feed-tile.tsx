import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Device, Feed, Status } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { Icon } from '../../app/components/icon.tsx';
import { formatBitrate, formatFps, formatSize } from '../../app/format.ts';
import { toHash } from '../../app/page-route.ts';
import { useStore } from '../../app/use-store.ts';
import { DeviceControls } from '../../cameras/components/device-controls.tsx';
import { type FeedTake, takeOfFeed } from '../../takes/record-view.ts';
import type { FeedPlayer, PlayerPhase } from '../feed-player.ts';
import {
  conditionOf,
  isPictures,
  originOf,
  phaseOfPictures,
  type TileCondition,
  tileStateNames,
} from '../feed-view.ts';
import type { TilePlace } from '../layer-wish.ts';
import { useTilePlace } from '../use-tile-place.ts';
import { FeedDetails } from './feed-details.tsx';
import { FeedPictures } from './feed-pictures.tsx';
import { FeedVideo } from './feed-video.tsx';

interface FeedTileProps {
  feed: Feed;
  status: Status;
  fresh: boolean;
  player: FeedPlayer;
  /** The camera of this machine that makes it; null if it comes from elsewhere. */
  device: Device | null;
  controller: AppController;
  selected: boolean;
  hidden: boolean;
  audible: boolean;
  onAudible(on: boolean): void;
}

const Cover = ({ condition }: { condition: TileCondition }) => (
  <div class="cover">
    <Icon
      name={condition.state === 'offline' ? 'offline' : condition.state === 'stalled' ? 'warning' : 'live'}
    />
    <p class="cover-state">{tileStateNames[condition.state]}</p>
    {condition.reason !== null && <p class="cover-reason">{condition.reason}</p>}
  </div>
);

/** The state of this camera's own master. */
const TakeBadge = ({ take }: { take: FeedTake }) => (
  <span class="rec-badge" data-state={take.state} data-testid={`tile-${take.state}`}>
    {take.state === 'failed' ? 'Not recorded' : 'REC'}
    {take.state === 'recording' && take.droppedFrames > 0 && ` · ${take.droppedFrames} lost`}
  </span>
);

const toggleFullscreen = (tile: HTMLElement | null) => {
  const video = tile?.querySelector<HTMLVideoElement & { webkitEnterFullscreen?(): void }>('video');
  if (document.fullscreenElement !== null) void document.exitFullscreen();
  else if (document.fullscreenEnabled) void tile?.querySelector('.stage')?.requestFullscreen();
  else video?.webkitEnterFullscreen?.();
};

/** One feed on the wall, or large. */
export const FeedTile = (props: FeedTileProps) => {
  const { feed, status, selected } = props;
  const view = useStore(props.player.view);
  const tile = useRef<HTMLElement>(null);
  const open = useRef<HTMLAnchorElement>(null);
  const back = useRef<HTMLAnchorElement>(null);
  const wasSelected = useRef(selected);
  const origin = originOf(status, feed);
  const madeOfPictures = isPictures(feed);
  const pictures = madeOfPictures || view.pictures !== null;
  const [picturePhase, setPicturePhase] = useState<PlayerPhase>({ kind: 'idle' });
  const phase = pictures ? phaseOfPictures(picturePhase, view.pictures) : view.phase;
  const condition = conditionOf(feed, phase, origin, props.fresh);
  const received = pictures ? null : view.sample;
  const [late, setLate] = useState(false);
  const catchesUp = late && !pictures && condition.state === 'live';
  const stateName = catchesUp ? 'Catching up' : tileStateNames[condition.state];
  const take = takeOfFeed(status, feed.id, origin.camera?.name ?? null);
  useEffect(() => {
    // The keyboard's focus stays on the feed when the view changes.
    if (selected !== wasSelected.current) (selected ? back : open).current?.focus({ preventScroll: true });
    wasSelected.current = selected;
  }, [selected]);
  const { player } = props;
  const onPlace = useCallback((place: TilePlace) => player.setPlace(place), [player]);
  useTilePlace(tile, selected, onPlace);
  const canBeHeard = feed.audioCodec !== null && !pictures;
  const sound = (
    <button
      type="button"
      class="tool"
      aria-pressed={props.audible}
      aria-label={props.audible ? `Mute ${feed.label}` : `Listen to ${feed.label}`}
      onClick={() => props.onAudible(!props.audible)}
    >
      <Icon name={props.audible ? 'sound' : 'muted'} />
    </button>
  );
  return (
    <article
      ref={tile}
      class={selected ? 'tile tile-single' : 'tile'}
      hidden={props.hidden}
      aria-label={feed.label}
      data-feed={feed.id}
      data-state={condition.state}
      data-late={catchesUp ? '' : null}
      data-layer={pictures ? null : view.layer}
      data-testid={selected ? 'single' : 'tile'}
    >
      {selected && (
        <div class="single-bar">
          <a ref={back} class="tool" href={toHash({ page: 'live', feed: null })} data-testid="back">
            <Icon name="back" />
            All feeds
          </a>
          {canBeHeard && sound}
          <button
            type="button"
            class="tool"
            aria-label="Full screen"
            onClick={() => toggleFullscreen(tile.current)}
          >
            <Icon name="fullscreen" />
          </button>
        </div>
      )}
      <div class="stage">
        {!madeOfPictures && (
          <FeedVideo
            player={player}
            stream={view.stream}
            fps={feed.fps}
            muted={!props.audible}
            label={feed.label}
            onLate={setLate}
          />
        )}
        {pictures && (
          <FeedPictures
            feed={feed.id}
            label={feed.label}
            // The appliance decodes a feed for its pictures, so hidden ones are not requested.
            active={feed.state !== 'offline' && props.fresh && !(props.hidden && view.pictures !== null)}
            onPhase={setPicturePhase}
          />
        )}
        {condition.state !== 'live' && <Cover condition={condition} />}
        {!selected && (
          <a ref={open} class="tile-link" href={toHash({ page: 'live', feed: feed.id })}>
            <span class="visually-hidden">
              {feed.label}: {stateName}. Show large
            </span>
          </a>
        )}
        <div class="tile-top">
          <span class="state-badge">
            {stateName}
            {view.pictures !== null && condition.state === 'live' && ' · pictures'}
          </span>
          {take !== null && <TakeBadge take={take} />}
        </div>
        <div class="tile-bottom">
          <span class="tile-name">{feed.label}</span>
          {condition.state === 'live' && (
            <span class="tile-figures">
              {formatSize(received?.width ?? feed.width, received?.height ?? feed.height)}
              {' · '}
              {formatFps(view.rates === null ? feed.fps : Math.round(view.rates.fps))}
              {' · '}
              {formatBitrate(view.rates?.bitrateKbps ?? feed.bitrateKbps)}
            </span>
          )}
        </div>
        {!selected && canBeHeard && <div class="tile-tools">{sound}</div>}
      </div>
      {selected && (
        <FeedDetails feed={feed} origin={origin} condition={condition} stateName={stateName} view={view}>
          {props.device !== null && props.device.controls.length > 0 && (
            <DeviceControls device={props.device} controller={props.controller} />
          )}
        </FeedDetails>
      )}
    </article>
  );
};
