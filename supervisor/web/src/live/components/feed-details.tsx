import type { ComponentChildren } from 'preact';
import type { Feed } from '../../../../contract/index.ts';
import { Fact } from '../../app/components/parts.tsx';
import {
  countOf,
  formatBitrate,
  formatCodec,
  formatFps,
  formatMs,
  formatOffset,
  formatPercent,
  formatSize,
  formatSpan,
} from '../../app/format.ts';
import type { PlayerView } from '../feed-player.ts';
import type { FeedOrigin, TileCondition } from '../feed-view.ts';

interface FeedDetailsProps {
  feed: Feed;
  origin: FeedOrigin;
  condition: TileCondition;
  /** Its state for people. */
  stateName: string;
  view: PlayerView;
  /** The text before the figures. */
  children?: ComponentChildren;
}

const publisherNames = {
  whip: 'WHIP',
  ingest: 'this appliance',
  pull: 'pulled',
  jpeg: 'JPEG frames',
} as const;

const FeedFacts = ({ feed, origin, condition, stateName, view }: Omit<FeedDetailsProps, 'children'>) => {
  const { publisher } = feed;
  const { pictures } = view;
  const by =
    publisher === null ? null : (origin.camera?.name ?? publisher.camera ?? publisherNames[publisher.kind]);
  const worst = feed.viewers.reduce((most, { lossRatio }) => Math.max(most, lossRatio ?? 0), 0);
  return (
    <dl>
      <Fact name="State">
        {stateName}
        {condition.reason !== null && <span class="fact-note">{condition.reason}</span>}
      </Fact>
      {pictures !== null && (
        <Fact name="Shown as">
          JPEG pictures
          <span class="fact-note">{pictures} Video is tried again automatically.</span>
        </Fact>
      )}
      <Fact name="Codec">{formatCodec(feed.codec)}</Fact>
      <Fact name="Sound">{feed.audioCodec === null ? 'none' : formatCodec(feed.audioCodec)}</Fact>
      <Fact name="Size">{formatSize(feed.width, feed.height)}</Fact>
      {feed.layers.length > 1 && (
        <Fact name="Layers">
          {feed.layers
            .map(
              ({ width, height, bitrateKbps }) =>
                `${formatSize(width, height)}, ${formatBitrate(bitrateKbps)}`,
            )
            .join(' · ')}
        </Fact>
      )}
      <Fact name="Frame rate">{formatFps(feed.fps)}</Fact>
      <Fact name="Bitrate">{formatBitrate(feed.bitrateKbps)}</Fact>
      <Fact name="Last keyframe">
        {feed.keyframeAgeMs === null ? '–' : `${formatMs(feed.keyframeAgeMs)} ago`}
      </Fact>
      <Fact name="Loss to the hub">
        {formatPercent(feed.lossRatio)}
        {feed.packetsLost > 0 && <span class="fact-note">{countOf(feed.packetsLost, 'packet')} in all</span>}
      </Fact>
      <Fact name="Camera to hub">{formatMs(feed.latencyMs)}</Fact>
      <Fact name="Published">
        {publisher === null ? 'by nobody' : `by ${by} for ${formatSpan(publisher.sinceMs / 1000)}`}
      </Fact>
      <Fact name="Viewers">
        {feed.viewers.length}
        {worst > 0 && <span class="fact-note">largest loss {formatPercent(worst)}</span>}
      </Fact>
    </dl>
  );
};

const SourceFacts = ({ origin: { source, camera } }: { origin: FeedOrigin }) => {
  if (source === null && camera === null) return null;
  return (
    <>
      <h3>Source</h3>
      <dl>
        {camera !== null && (
          <Fact name="Camera">
            {camera.name}
            <span class="fact-note">{camera.online ? camera.address : 'not connected'}</span>
          </Fact>
        )}
        {source !== null && (
          <>
            <Fact name={source.label}>
              {source.kind}, {source.state}
              {source.reason !== null && <span class="fact-note">{source.reason}</span>}
              {source.kind === 'test' && (
                <span class="fact-note">
                  The bars across its top are the time as a code for machines: the delay is measured with
                  them.
                </span>
              )}
            </Fact>
            <Fact name="Encoder">
              {source.encoder?.name ?? '–'}
              {source.encoder !== null && <span class="fact-note">{source.encoder.reason}</span>}
            </Fact>
            <Fact name="Restarts">{source.restarts}</Fact>
            <Fact name="Dropped frames">{source.droppedFrames ?? '–'}</Fact>
          </>
        )}
        {camera !== null && (
          <Fact name="Clock">{formatOffset(camera.clockOffsetMs, camera.clockUncertaintyMs)}</Fact>
        )}
      </dl>
    </>
  );
};

const layerNames = { high: 'full', low: 'small' } as const;

const ReceiveFacts = ({ view: { sample, rates, pictures, layer, narrow } }: { view: PlayerView }) => {
  if (sample === null || pictures !== null) return null;
  return (
    <>
      <h3>Received here</h3>
      <dl>
        <Fact name="Picture">
          {formatSize(sample.width, sample.height)}
          {layer !== null && <span class="fact-note">{layerNames[layer]} layer</span>}
          {narrow && (
            <span class="fact-note">
              This link does not carry the full layer now. It is tried again automatically.
            </span>
          )}
        </Fact>
        <Fact name="Decoded">{formatFps(rates === null ? null : Math.round(rates.fps))}</Fact>
        <Fact name="Bitrate">{formatBitrate(rates?.bitrateKbps ?? null)}</Fact>
        <Fact name="Buffer">{formatMs(rates?.bufferMs ?? null)}</Fact>
        <Fact name="Decoding">{formatMs(rates?.decodeMs ?? null)}</Fact>
        <Fact name="Round trip">{formatMs(sample.rttMs)}</Fact>
        <Fact name="Loss">{formatPercent(rates?.lossRatio ?? null)}</Fact>
        <Fact name="Freezes">
          {sample.freezeCount}
          {sample.freezeCount > 0 && <span class="fact-note">{formatMs(sample.freezesS * 1000)} in all</span>}
        </Fact>
        <Fact name="Dropped frames">{sample.framesDropped}</Fact>
      </dl>
    </>
  );
};

/** Everything about one feed: its state and its figures. */
export const FeedDetails = (props: FeedDetailsProps) => (
  <aside class="details" aria-label="Details" data-testid="details">
    <h2>{props.feed.label}</h2>
    {props.children}
    <FeedFacts
      feed={props.feed}
      origin={props.origin}
      condition={props.condition}
      stateName={props.stateName}
      view={props.view}
    />
    <ReceiveFacts view={props.view} />
    <SourceFacts origin={props.origin} />
  </aside>
);
