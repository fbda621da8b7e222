import type { Datapath, MediaTransport, PacketOutlet } from '../datapath/datapath.ts';
import type { AudioCodec } from './audio-codec.ts';
import type { FeedAudio, FeedPort, FeedPublisher, FeedVideo, FeedViewer } from './feed-port.ts';
import type { IngestOptions } from './ingest.ts';
import type { PublisherOptions } from './publisher.ts';
import type { VideoTrackOptions } from './video-track.ts';
import type { ViewerOptions } from './viewer.ts';

/** Options as the layers above know them: transports are of the plane's own kind. */
export type PlaneOptions<Options extends { readonly transport: MediaTransport }> = Omit<
  Options,
  'transport'
> & {
  readonly transport: MediaTransport;
};

/**
 * The seam between what decides and what moves packets. The SFU's policy (feeds, sessions, who starts when) is above; below are
 * two implementations: one in JavaScript (`node-plane.ts`), and a native one that packets never leave (`native-plane.ts`). Both
 * pass the suite `media-plane*.test.ts`.
 */
export interface MediaPlane extends Datapath {
  openVideo(events: VideoTrackOptions): FeedVideo;
  openAudio(codec: AudioCodec): FeedAudio;
  openPublisher(options: PlaneOptions<PublisherOptions>): FeedPublisher;
  openViewer(options: PlaneOptions<ViewerOptions>): FeedViewer;
  /** Rejects with the system's error if a port is taken. */
  openIngest(options: IngestOptions): Promise<AsyncDisposable>;
  /** Passes a feed's packets to a reader on this machine, from the newest keyframe on. */
  openTap(feed: FeedPort, outlet: PacketOutlet): Disposable;
}
