import type { RemoteInfo, Socket } from 'node:dgram';
import type { Logger } from 'pino';
import { openUdpSocket } from '../datapath/node/udp-socket.ts';
import { unixMsOfNtp } from '../rtp/ntp.ts';
import { ReceptionStats } from '../rtp/reception-stats.ts';
import { parseRtcp, type RtcpPacket } from '../rtp/rtcp.ts';
import { isRtcp, parseRtp, type RtpPacket } from '../rtp/rtp-packet.ts';
import { SourceGuard } from '../rtp/source-guard.ts';
import { audioClockOf } from './audio-codec.ts';
import type { AudioTrack } from './audio-track.ts';
import { CaptureDelay } from './capture-delay.ts';
import type { FeedPort, FeedSource } from './feed-port.ts';
import type { PublisherInfo } from './feed-stats.ts';
import { nodeAudio, nodeVideo } from './node-tracks.ts';
import { PublisherClock } from './sender-clock.ts';
import { VIDEO_CLOCK_HZ } from './track.ts';
import type { VideoTrack } from './video-track.ts';

/** A pipeline that sends nothing for this long is gone. */
const GONE_MS = 10_000;

/** Where a pipeline's packets arrive. */
export interface IngestOptions {
  readonly feed: FeedPort;
  readonly rtpPort: number;
  readonly audioRtpPort: number | null;
  /** Sender reports give the time of capture by this machine's clock, not that of sending. */
  readonly tellsCaptureTime: boolean;
  readonly logger: Logger;
}

type SenderReport = Extract<RtcpPacket, { kind: 'sender-report' }>;

interface Port {
  readonly track: VideoTrack | AudioTrack;
  readonly clockRate: number;
  readonly guard: SourceGuard<RtpPacket>;
  stats: ReceptionStats | null;
  /** The newest one; it may come before the first packet that it speaks of. */
  report: SenderReport | null;
}

/** Local RTP of a capture pipeline: no feedback, no backpressure, so that neither side can delay the other. */
export class Ingest implements FeedSource, AsyncDisposable {
  readonly #options: IngestOptions;
  readonly #sockets: Socket[] = [];
  readonly #ports: Port[] = [];
  #clock = new PublisherClock();
  #captureDelay = new CaptureDelay(VIDEO_CLOCK_HZ);
  #sinceMs = Date.now();
  #lastPacketMs: number | null = null;
  #lostBefore = 0;
  #expectedBefore = 0;
  #errors = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /** Binds the ports; rejects with the system's error if one is taken. */
  async open(): Promise<void> {
    const { feed, rtpPort, audioRtpPort } = this.#options;
    try {
      await this.#openTrack(nodeVideo(feed.video), VIDEO_CLOCK_HZ, rtpPort, rtpPort + 1 !== audioRtpPort);
      if (audioRtpPort !== null) {
        const audio = nodeAudio(feed.openAudio('opus'));
        const withRtcp = audioRtpPort + 1 !== rtpPort;
        await this.#openTrack(audio, audioClockOf(audio.codec), audioRtpPort, withRtcp);
      }
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    feed.setSource(this);
  }

  get info(): PublisherInfo {
    return { kind: 'ingest', sessionId: null, peer: null, sinceMs: this.#sinceMs };
  }

  get present(): boolean {
    return this.#lastPacketMs !== null && performance.now() - this.#lastPacketMs < GONE_MS;
  }

  get packetsLost(): number {
    return this.#lostBefore + (this.#ports[0]?.stats?.lostTotal ?? 0);
  }

  get packetsExpected(): number {
    return this.#expectedBefore + (this.#ports[0]?.stats?.expectedTotal ?? 0);
  }

  get captureDelayMs(): number | null {
    return this.#options.tellsCaptureTime ? this.#captureDelay.ms : null;
  }

  readonly notices = [];

  /** A pipeline makes keyframes by itself. */
  requestKeyframe(): boolean {
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.feed.removeSource(this);
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  async #openTrack(track: Port['track'], clockRate: number, port: number, withRtcp: boolean): Promise<void> {
    const state: Port = { track, clockRate, guard: new SourceGuard(), stats: null, report: null };
    this.#ports.push(state);
    const onDatagram = (datagram: Buffer, from: RemoteInfo): void => {
      if (from.address === '127.0.0.1') this.#receive(state, datagram);
    };
    const onError = (error: Error): void => {
      if (this.#errors++ === 0)
        this.#options.logger.warn({ err: error, port }, 'ingest port error; counting');
    };
    this.#sockets.push(await openUdpSocket({ address: '127.0.0.1', port, onDatagram, onError }));
    if (!withRtcp) return;
    try {
      this.#sockets.push(await openUdpSocket({ address: '127.0.0.1', port: port + 1, onDatagram, onError }));
    } catch (error) {
      // Sender reports only sharpen the synchronisation of sound and picture.
      this.#options.logger.info({ err: error, port: port + 1 }, 'no RTCP for this ingest: the port is taken');
    }
  }

  #receive(port: Port, datagram: Buffer): void {
    if (isRtcp(datagram)) {
      this.#receiveReports(port, datagram);
      return;
    }
    const packet = parseRtp(datagram);
    if (packet === null) return;
    const nowMs = performance.now();
    if (!this.present) this.#sinceMs = Date.now();
    this.#lastPacketMs = nowMs;
    const { packets, begins } = port.guard.admit(packet, nowMs);
    packets.forEach((admitted, i) => {
      this.#take(port, admitted, begins && i === 0, nowMs);
    });
  }

  #take(port: Port, packet: RtpPacket, begins: boolean, nowMs: number): void {
    if (begins) {
      if (port === this.#ports[0]) {
        this.#lostBefore += port.stats?.lostTotal ?? 0;
        this.#expectedBefore += port.stats?.expectedTotal ?? 0;
      }
      port.stats = new ReceptionStats(packet.ssrc, port.clockRate);
      this.#clock = new PublisherClock();
    }
    port.stats?.arrived(packet.sequence, packet.timestamp, nowMs);
    if (port === this.#ports[0]) this.#captureDelay.noteArrival(packet.timestamp, Date.now());
    port.track.write(packet, nowMs);
    if (begins && port.report?.ssrc === packet.ssrc) this.#takeReport(port, port.report);
  }

  #receiveReports(port: Port, datagram: Buffer): void {
    for (const packet of parseRtcp(datagram)) {
      if (packet.kind !== 'sender-report') continue;
      if (port === this.#ports[0]) {
        if (port.report?.ssrc !== packet.ssrc) this.#captureDelay = new CaptureDelay(VIDEO_CLOCK_HZ);
        this.#captureDelay.noteReport(packet.rtpTimestamp, unixMsOfNtp(packet.ntp));
      }
      port.report = packet;
      this.#takeReport(port, packet);
    }
  }

  #takeReport(port: Port, { ssrc, ntp, rtpTimestamp }: SenderReport): void {
    const { normalizer, clock } = port.track.parts;
    const nowMs = performance.now();
    const timestamp = normalizer.timestampOf(ssrc, rtpTimestamp, nowMs);
    if (timestamp === null) return;
    const unixMs = unixMsOfNtp(ntp);
    const { tellsCaptureTime } = this.#options;
    const atMs = tellsCaptureTime ? nowMs - (Date.now() - unixMs) : this.#clock.toLocal(unixMs, nowMs);
    clock.noteReport(timestamp, atMs, nowMs);
  }
}
