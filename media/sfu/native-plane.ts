/** The media plane whose packets stay in the native datapath. */
import type { PacketOutlet } from '../datapath/datapath.ts';
import type { DatapathOptions } from '../datapath/datapath-options.ts';
import type { NativeAddon } from '../datapath/native/native-binding.ts';
import { createNativeDatapath, NativeDatapath } from '../datapath/native/native-datapath.ts';
import { NativeTransport } from '../datapath/native/native-transport.ts';
import type { AudioCodec } from './audio-codec.ts';
import type { FeedAudio, FeedPort, FeedPublisher, FeedVideo, FeedViewer } from './feed-port.ts';
import type { IngestOptions } from './ingest.ts';
import type { MediaPlane, PlaneOptions } from './media-plane.ts';
import { NativeIngest } from './native-ingest.ts';
import { NativePublisher } from './native-publisher.ts';
import { NativeTap } from './native-tap.ts';
import { NativeAudioTrack, NativeVideoTrack } from './native-tracks.ts';
import { NativeViewer } from './native-viewer.ts';
import type { PublisherOptions } from './publisher.ts';
import type { VideoTrackOptions } from './video-track.ts';
import type { ViewerOptions } from './viewer.ts';

/** Makes it. Throws if the add-on cannot be loaded. */
export function createNativePlane(addon: NativeAddon, options: DatapathOptions): MediaPlane {
  return createNativeDatapath(addon, options, NativePlane);
}

class NativePlane extends NativeDatapath implements MediaPlane {
  openVideo(events: VideoTrackOptions): FeedVideo {
    return new NativeVideoTrack(this.core, events);
  }

  openAudio(codec: AudioCodec): FeedAudio {
    return new NativeAudioTrack(this.core, codec);
  }

  openPublisher(options: PlaneOptions<PublisherOptions>): FeedPublisher {
    return new NativePublisher({ ...options, core: this.core, transport: ownTransport(options.transport) });
  }

  openViewer(options: PlaneOptions<ViewerOptions>): FeedViewer {
    return new NativeViewer({ ...options, core: this.core, transport: ownTransport(options.transport) });
  }

  async openIngest(options: IngestOptions): Promise<AsyncDisposable> {
    const ingest = new NativeIngest({ ...options, core: this.core });
    ingest.open();
    return ingest;
  }

  openTap(feed: FeedPort, outlet: PacketOutlet): Disposable {
    return new NativeTap(this.core, feed, outlet);
  }
}

function ownTransport(transport: PlaneOptions<ViewerOptions>['transport']): NativeTransport {
  if (!(transport instanceof NativeTransport)) throw new TypeError('transport of another plane');
  return transport;
}
