/** The media plane in JavaScript: every packet passes through it. Works everywhere without a compiler. */
import type {
  DatapathAddresses,
  DatapathStats,
  DtlsFingerprint,
  IceCandidate,
  MediaTransport,
  PacketDatapath,
  PacketOutlet,
} from '../datapath/datapath.ts';
import type { DatapathOptions } from '../datapath/datapath-options.ts';
import { createNodeDatapath } from '../datapath/node/node-datapath.ts';
import { NodeTransport } from '../datapath/node/node-transport.ts';
import type { AudioCodec } from './audio-codec.ts';
import { AudioTrack } from './audio-track.ts';
import type { FeedAudio, FeedPort, FeedPublisher, FeedVideo, FeedViewer } from './feed-port.ts';
import { Ingest, type IngestOptions } from './ingest.ts';
import type { MediaPlane, PlaneOptions } from './media-plane.ts';
import { nodeVideo } from './node-tracks.ts';
import { Publisher, type PublisherOptions } from './publisher.ts';
import { VideoTrack, type VideoTrackOptions } from './video-track.ts';
import { Viewer, type ViewerOptions } from './viewer.ts';

/** Makes it. */
export async function createNodePlane(options: DatapathOptions): Promise<MediaPlane> {
  return new NodePlane(await createNodeDatapath(options));
}

class NodePlane implements MediaPlane {
  readonly #datapath: PacketDatapath;

  constructor(datapath: PacketDatapath) {
    this.#datapath = datapath;
  }

  get fingerprint(): DtlsFingerprint {
    return this.#datapath.fingerprint;
  }

  get stats(): DatapathStats {
    return this.#datapath.stats;
  }

  get bound(): readonly IceCandidate[] {
    return this.#datapath.bound;
  }

  listen(addresses: DatapathAddresses): Promise<void> {
    return this.#datapath.listen(addresses);
  }

  openTransport(mode: 'lite' | 'controlling'): Promise<MediaTransport> {
    return this.#datapath.openTransport(mode);
  }

  openVideo(events: VideoTrackOptions): FeedVideo {
    return new VideoTrack(this.#datapath.createRelay('video'), events);
  }

  openAudio(codec: AudioCodec): FeedAudio {
    return new AudioTrack(this.#datapath.createRelay('audio'), codec);
  }

  openPublisher(options: PlaneOptions<PublisherOptions>): FeedPublisher {
    return new Publisher({ ...options, transport: ownTransport(options.transport) });
  }

  openViewer(options: PlaneOptions<ViewerOptions>): FeedViewer {
    return new Viewer({ ...options, transport: ownTransport(options.transport) });
  }

  async openIngest(options: IngestOptions): Promise<AsyncDisposable> {
    const ingest = new Ingest(options);
    await ingest.open();
    return ingest;
  }

  openTap(feed: FeedPort, outlet: PacketOutlet): Disposable {
    const { relay } = nodeVideo(feed.video).parts;
    const sink = relay.addTap(outlet);
    const keyframe = feed.joinPoint(performance.now(), relay.keyframe);
    if (keyframe === null) sink.startAtNext();
    else sink.start(keyframe, relay.preface);
    return sink;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#datapath[Symbol.asyncDispose]());
  }
}

function ownTransport(transport: MediaTransport): NodeTransport {
  if (!(transport instanceof NodeTransport)) throw new TypeError('transport of another plane');
  return transport;
}
