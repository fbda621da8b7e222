import { getSystemErrorName } from 'node:util';
import { type Handle, SocketUse, TrackKind } from '../datapath/native/native-binding.ts';
import type { NativeCore } from '../datapath/native/native-core.ts';
import type { SourceRow } from '../datapath/native/native-snapshot.ts';
import { openNativeSource } from '../datapath/native/native-source.ts';
import { IngestPortError } from './errors.ts';
import type { FeedSource } from './feed-port.ts';
import type { PublisherInfo } from './feed-stats.ts';
import type { IngestOptions } from './ingest.ts';
import { nativeAudio, nativeVideo } from './native-tracks.ts';

/** A pipeline that sends nothing for this long is gone. */
const GONE_MS = 10_000;

/** Local RTP of a capture pipeline, received by the native datapath. */
export class NativeIngest implements FeedSource, AsyncDisposable {
  readonly #options: IngestOptions & { readonly core: NativeCore };
  readonly #sockets: Handle[] = [];
  readonly #handle: Handle;
  #sinceMs = Date.now();
  #wasPresent = false;

  constructor(options: IngestOptions & { readonly core: NativeCore }) {
    this.#options = options;
    this.#handle = options.core.take();
  }

  /** Binds the ports; throws INGEST_PORT_TAKEN if one cannot be bound. */
  open(): void {
    const { core, feed, rtpPort, audioRtpPort, tellsCaptureTime } = this.#options;
    const audio = audioRtpPort === null ? undefined : nativeAudio(feed.openAudio('opus')).handle;
    const video = nativeVideo(feed.video).handle;
    openNativeSource(core.calls, this.#handle, { video, audio, tellsCaptureTime });
    try {
      this.#bind(rtpPort, TrackKind.VIDEO, rtpPort + 1 !== audioRtpPort);
      if (audioRtpPort !== null) this.#bind(audioRtpPort, TrackKind.AUDIO, audioRtpPort + 1 !== rtpPort);
    } catch (error) {
      this.#close();
      throw error;
    }
    feed.setSource(this);
  }

  get info(): PublisherInfo {
    return { kind: 'ingest', sessionId: null, peer: null, sinceMs: this.#sinceMs };
  }

  get present(): boolean {
    const lastPacketMs = this.#row?.lastPacketMs ?? null;
    const present = lastPacketMs !== null && performance.now() - lastPacketMs < GONE_MS;
    if (present && !this.#wasPresent) this.#sinceMs = Date.now();
    this.#wasPresent = present;
    return present;
  }

  get packetsLost(): number {
    return this.#row?.packetsLost ?? 0;
  }

  get packetsExpected(): number {
    return this.#row?.packetsExpected ?? 0;
  }

  get captureDelayMs(): number | null {
    return this.#row?.captureDelayMs ?? null;
  }

  readonly notices = [];

  /** A pipeline makes keyframes by itself. */
  requestKeyframe(): boolean {
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.feed.removeSource(this);
    this.#close();
  }

  get #row(): SourceRow | null {
    return this.#options.core.statistics.source(this.#handle);
  }

  #bind(port: number, kind: number, withRtcp: boolean): void {
    const failure = this.#addSocket(port, kind);
    if (failure !== null) throw new IngestPortError(`UDP port ${port} cannot be used (${failure})`);
    const reports = withRtcp ? this.#addSocket(port + 1, kind) : null;
    // Sender reports only sharpen the synchronisation of sound and picture.
    if (reports !== null)
      this.#options.logger.info(
        { code: reports, port: port + 1 },
        'no RTCP for this ingest: the port is taken',
      );
  }

  /** The system's name of the error; null if there is none. */
  #addSocket(port: number, kind: number): string | null {
    const { core } = this.#options;
    const handle = core.take();
    const result = core.calls.addSocket(handle, '127.0.0.1', port, SocketUse.INGEST, this.#handle, kind);
    if (result < 0) {
      core.release(handle);
      return getSystemErrorName(result);
    }
    this.#sockets.push(handle);
    return null;
  }

  #close(): void {
    const { core } = this.#options;
    for (const socket of this.#sockets.splice(0)) {
      core.calls.closeSocket(socket);
      core.release(socket);
    }
    core.calls.closeSource(this.#handle);
    core.release(this.#handle);
  }
}
