import type { PacketOutlet } from '../datapath/datapath.ts';
import { type Handle, type NativeEvent, NativeEventType } from '../datapath/native/native-binding.ts';
import type { NativeCore } from '../datapath/native/native-core.ts';
import type { FeedPort } from './feed-port.ts';
import { nativeVideo } from './native-tracks.ts';
import { KEYFRAME_PATIENCE_MS } from './native-viewer.ts';

/** How soon a reader that let packets pile up is looked at again. */
const BLOCKED_POLL_MS = 50;

/** Packets of the native datapath for a reader of this machine, which come in batches. */
export class NativeTap implements Disposable {
  readonly #core: NativeCore;
  readonly #feed: FeedPort;
  readonly #outlet: PacketOutlet;
  readonly #handle: Handle;
  #blocked: NodeJS.Timeout | null = null;

  constructor(core: NativeCore, feed: FeedPort, outlet: PacketOutlet) {
    this.#core = core;
    this.#feed = feed;
    this.#outlet = outlet;
    this.#handle = core.take((event) => this.#receive(event));
    core.calls.openSink(this.#handle, nativeVideo(feed.video).handle, 0, 0, 0, false, '', 0, 0);
    this.#join();
  }

  [Symbol.dispose](): void {
    if (this.#blocked !== null) clearTimeout(this.#blocked);
    this.#blocked = null;
    this.#core.calls.closeSink(this.#handle);
    this.#core.release(this.#handle);
  }

  #receive([type, , payload, sequence, timestamp, marker]: NativeEvent): void {
    if (type === NativeEventType.VIEWER_NEEDS_KEYFRAME) this.#feed.requestKeyframe();
    if (type !== NativeEventType.TAP) return;
    this.#outlet.sendRtp({ ssrc: 0, payloadType: 0, marker, timestamp }, sequence, payload);
    if (this.#outlet.blocked && this.#blocked === null) this.#wait();
  }

  /** The reader gets nothing more until it has read what waits; then it continues at a keyframe. */
  #wait(): void {
    this.#core.calls.pause(this.#handle);
    this.#blocked = setTimeout(() => {
      if (this.#outlet.blocked) return this.#wait();
      this.#blocked = null;
      this.#join();
    }, BLOCKED_POLL_MS);
  }

  #join(): void {
    this.#core.calls.join(this.#handle, this.#feed.freshKeyframeMs, KEYFRAME_PATIENCE_MS);
    this.#feed.freshenKeyframe(performance.now());
  }
}
