/** Whoever sends by WebRTC, a WHIP publisher or a server that is pulled from: takes its packets in, asks for lost ones again, and gives the feedback a sender needs. */
import type { Logger } from 'pino';
import type { PacketTransport } from '../datapath/datapath.ts';
import { NackGenerator } from '../rtp/nack-generator.ts';
import { middleOfNtp, unixMsOfNtp } from '../rtp/ntp.ts';
import { ReceptionStats } from '../rtp/reception-stats.ts';
import { parseRtcp, type RtcpPacket } from '../rtp/rtcp.ts';
import {
  buildCanonicalName,
  buildNack,
  buildPictureLoss,
  buildReceiverReport,
  buildRemb,
} from '../rtp/rtcp-build.ts';
import { parseRtp } from '../rtp/rtp-packet.ts';
import type { AudioTrack } from './audio-track.ts';
import { CaptureDelay } from './capture-delay.ts';
import type { Feed, FeedSource } from './feed.ts';
import type { PublisherInfo } from './feed-stats.ts';
import { nodeAudio, nodeVideo } from './node-tracks.ts';
import { PublisherClock } from './sender-clock.ts';
import { AUDIO_CLOCK_HZ, VIDEO_CLOCK_HZ } from './track.ts';
import type { VideoTrack } from './video-track.ts';
import { createSsrc } from './viewer.ts';

const FEEDBACK_INTERVAL_MS = 1000;
const NACK_INTERVAL_MS = 20;

export interface PublisherOptions {
  readonly kind: 'whip' | 'pull';
  readonly sessionId: string | null;
  readonly peer: string | null;
  readonly feed: Feed;
  readonly transport: PacketTransport;
  readonly logger: Logger;
  readonly videoPayloadType: number;
  readonly audioPayloadType: number | null;
  /** A browser goes up to the bitrate that its receiver estimates: this one. */
  readonly maxBitrateKbps: number;
}

interface IncomingTrack {
  readonly track: VideoTrack | AudioTrack;
  readonly clockRate: number;
  /** Of the newest SSRC; null before the first packet. */
  stats: ReceptionStats | null;
  lostBefore: number;
}

export class Publisher implements FeedSource {
  readonly info: PublisherInfo;
  readonly #options: PublisherOptions;
  readonly #ssrc = createSsrc();
  readonly #clock = new PublisherClock();
  readonly #video: IncomingTrack;
  readonly #audio: IncomingTrack | null;
  #captureDelay = new CaptureDelay(VIDEO_CLOCK_HZ);
  #nacks = new NackGenerator();
  #nackTimer: NodeJS.Timeout | null = null;
  #abandoned = 0;
  #lastFeedbackMs = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { kind, feed, transport, sessionId, peer } = options;
    this.info = { kind, sessionId, peer, sinceMs: Date.now() };
    this.#video = { track: nodeVideo(feed.video), clockRate: VIDEO_CLOCK_HZ, stats: null, lostBefore: 0 };
    this.#audio =
      options.audioPayloadType === null
        ? null
        : { track: nodeAudio(feed.openAudio()), clockRate: AUDIO_CLOCK_HZ, stats: null, lostBefore: 0 };
    transport.events.on('rtp', (packet) => this.#receive(packet));
    transport.events.on('rtcp', (compound) => {
      for (const packet of parseRtcp(compound)) this.#handle(packet);
    });
    transport.events.on('state', (state) => {
      if (state === 'connected') feed.requestKeyframe();
      if (state === 'closed') this.#release();
    });
    feed.setSource(this);
  }

  get present(): boolean {
    return this.#options.transport.state === 'connected';
  }

  get packetsLost(): number {
    return this.#video.lostBefore + (this.#video.stats?.lostTotal ?? 0);
  }

  get captureDelayMs(): number | null {
    return this.#captureDelay.ms;
  }

  requestKeyframe(): boolean {
    const { stats } = this.#video;
    if (stats === null || !this.present) return false;
    this.#send(buildPictureLoss(this.#ssrc, stats.ssrc));
    return true;
  }

  close(): void {
    this.#options.transport.close();
    this.#release();
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    if (!this.present || nowMs - this.#lastFeedbackMs < FEEDBACK_INTERVAL_MS) return;
    this.#lastFeedbackMs = nowMs;
    const tracks = [this.#video, this.#audio].flatMap((track) => track?.stats ?? []);
    if (tracks.length === 0) return;
    const { maxBitrateKbps } = this.#options;
    const ssrcs = tracks.map((stats) => stats.ssrc);
    this.#options.transport.sendRtcp(
      Buffer.concat([
        buildReceiverReport(
          this.#ssrc,
          tracks.map((stats) => stats.report(nowMs)),
        ),
        buildCanonicalName(this.#ssrc, 'rushlight'),
        buildRemb(this.#ssrc, maxBitrateKbps * 1000, ssrcs),
      ]),
    );
  }

  #receive(datagram: Buffer): void {
    const packet = parseRtp(datagram);
    if (packet === null) return;
    const video = packet.payloadType === this.#options.videoPayloadType;
    const audio = packet.payloadType === this.#options.audioPayloadType ? this.#audio : null;
    const incoming = video ? this.#video : audio;
    if (incoming === null) return;
    const nowMs = performance.now();
    const fresh = incoming.stats?.ssrc !== packet.ssrc;
    const stats = fresh ? this.#openStats(incoming, packet.ssrc) : incoming.stats;
    const extended = stats?.arrived(packet.sequence, packet.timestamp, nowMs) ?? 0;
    if (video) {
      if (fresh) this.#lastFeedbackMs = 0;
      this.#captureDelay.noteArrival(packet.timestamp, Date.now());
      if (this.#nacks.arrived(extended, nowMs)) this.#askAgain();
    }
    incoming.track.write(packet, nowMs);
  }

  #openStats(incoming: IncomingTrack, ssrc: number): ReceptionStats {
    incoming.lostBefore += incoming.stats?.lostTotal ?? 0;
    incoming.stats = new ReceptionStats(ssrc, incoming.clockRate);
    if (incoming === this.#video) {
      this.#nacks = new NackGenerator();
      this.#captureDelay = new CaptureDelay(VIDEO_CLOCK_HZ);
      this.#abandoned = 0;
    }
    return incoming.stats;
  }

  readonly #askAgain = (): void => {
    if (this.#nackTimer !== null) clearTimeout(this.#nackTimer);
    this.#nackTimer = null;
    const { stats } = this.#video;
    if (stats === null || !this.present) return;
    const due = this.#nacks.due(performance.now()).map((extended) => extended & 0xffff);
    if (due.length > 0) this.#send(buildNack(this.#ssrc, stats.ssrc, due));
    if (this.#nacks.abandoned > this.#abandoned) {
      this.#abandoned = this.#nacks.abandoned;
      this.#options.feed.requestKeyframe();
    }
    if (this.#nacks.pending > 0) this.#nackTimer = setTimeout(this.#askAgain, NACK_INTERVAL_MS);
  };

  #handle(packet: RtcpPacket): void {
    if (packet.kind !== 'sender-report') return;
    const incoming = [this.#video, this.#audio].find((track) => track?.stats?.ssrc === packet.ssrc);
    if (incoming === undefined || incoming === null) return;
    if (incoming === this.#video) this.#captureDelay.noteReport(packet.rtpTimestamp, unixMsOfNtp(packet.ntp));
    incoming.stats?.noteSenderReport(middleOfNtp(packet.ntp), performance.now());
    const { normalizer, clock } = incoming.track.parts;
    const timestamp = normalizer.timestampOf(packet.ssrc, packet.rtpTimestamp);
    if (timestamp !== null)
      clock.noteReport(timestamp, this.#clock.toLocal(unixMsOfNtp(packet.ntp), Date.now()));
  }

  #send(feedback: Buffer): void {
    const report = buildReceiverReport(this.#ssrc, []);
    const name = buildCanonicalName(this.#ssrc, 'rushlight');
    this.#options.transport.sendRtcp(Buffer.concat([report, name, feedback]));
  }

  #release(): void {
    if (this.#nackTimer !== null) clearTimeout(this.#nackTimer);
    this.#nackTimer = null;
    this.#options.feed.removeSource(this);
  }
}
