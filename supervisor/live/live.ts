import type { Feed, LinkedCamera } from '../contract/index.ts';
import { assembleSources, type Sources } from '../sources/index.ts';
import type { Foundation } from '../system/foundation.ts';
import { FeedLabels } from './feed-labels.ts';
import { listFeeds } from './feed-list.ts';
import { JpegFeeds } from './jpeg/jpeg-feeds.ts';
import { JpegPushes } from './jpeg/jpeg-pushes.ts';
import { JpegTaps } from './jpeg/jpeg-taps.ts';
import { MediaLink } from './media-link.ts';
import { Outputs } from './outputs/outputs.ts';
import { RemoteFeeds } from './remote-feeds.ts';

/** Where pictures come from and go to: cameras, capture pipelines, the media process. */
export interface Pictures extends Sources {
  readonly media: MediaLink;
  readonly jpegPushes: JpegPushes;
  readonly remotes: RemoteFeeds;
  readonly outputs: Outputs;
  readonly still: JpegTaps;
  /** All feeds, including those that should be there and are not. */
  readonly feeds: () => Feed[];
}

/** What pictures need of the appliance. */
export interface PicturesOptions {
  /** Cameras that are linked to this hub. */
  readonly linked: () => readonly LinkedCamera[];
  /** Whether a take runs. */
  readonly recording: () => boolean;
  /** Pipelines must be applied again. */
  readonly onLinkRate: () => void;
  readonly onChange: () => void;
}

/** Makes the parts that pictures need. None of them does anything before it is run. */
export async function assemblePictures(
  base: Foundation,
  { linked, recording, onLinkRate, onChange }: PicturesOptions,
): Promise<Pictures> {
  const { host, paths, health, log } = base;
  const capture = await assembleSources(base, {
    recording,
    onLinkRate,
    onChange,
    publishPictures: (feed) => jpegFeeds.ingest(feed),
  });
  const { pipelines, plugged } = capture;
  const sources = () => [...pipelines.status(), ...remotes.status()];
  const labels = new FeedLabels(() => [...sources(), ...linked().flatMap((camera) => camera.sources)]);
  const labelOf = (feed: string) => labels.of(feed);
  const media = new MediaLink({
    host,
    onChange,
    log,
    socketPath: paths.mediaSocket,
    health: health.register('media', { core: true }),
    labelOf,
    pulls: () => remotes.pulls(),
    outputs: () => outputs.wanted(),
    taps: () => still.taps(),
    isTaken: (feed) => jpegFeeds.isPublished(feed),
    cameras: linked,
    goodKeys: () => base.keys.list().flatMap(({ id }) => (base.keys.isGood(id) ? [id] : [])),
    onPush: (feed, sample) => pipelines.noteLink(feed, sample),
    onFrames: (feed, frames, reorders) => pipelines.noteFrames(feed, frames, reorders),
    onFigures: () => outputs.look(),
    onBlind: () => pipelines.noteBlindness(),
  });
  const jpegFeeds = new JpegFeeds({
    labelOf,
    isTaken: (feed) =>
      sources().some(({ id, state }) => id === feed && state !== 'stopped') ||
      media.feeds().some(({ id, publisher }) => id === feed && publisher !== null),
    onChange,
    log,
  });
  const remotes = new RemoteFeeds({
    jpegFeeds,
    onChange,
    log,
    configFile: base.options.configFile,
    pulls: () => media.pulls(),
  });
  const feeds = () =>
    listFeeds({
      // One that is held for an output alone is not there.
      media: media
        .feeds()
        .filter(
          ({ id, publisher, viewers }) => publisher !== null || viewers.length > 0 || !outputs.holds(id),
        ),
      mediaRuns: media.connected,
      jpeg: jpegFeeds.list(),
      sources: sources(),
      unplugged: plugged.unplugged(),
      cameras: linked(),
    });
  const outputs = new Outputs({
    feeds,
    log,
    configFile: base.options.configFile,
    expected: () => [...sources(), ...linked().flatMap((camera) => camera.sources)],
    mediaRuns: () => media.connected,
    figures: () => media.outputs(),
    reconfigure: () => media.reconfigure(),
  });
  const still = new JpegTaps({
    host,
    jpegFeeds,
    feeds,
    log,
    folder: paths.run,
    configureTaps: () => media.reconfigure(),
  });
  const jpegPushes = new JpegPushes(jpegFeeds, log);
  return { ...capture, media, jpegPushes, remotes, outputs, still, feeds };
}
