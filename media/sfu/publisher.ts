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
import { parseRtp, type RtpPacket, rtpExtension } from '../rtp/rtp-packet.ts';
import { SourceGuard } from '../rtp/source-guard.ts';
import { TransportArrivals } from '../rtp/transport-arrivals.ts';
import { buildTransportFeedback } from '../rtp/transport-feedback.ts';
import { type AudioCodec, audioClockOf } from './audio-codec.ts';
import type { AudioTrack } from './audio-track.ts';
import { CaptureDelay } from './capture-delay.ts';
import type { FeedPort, FeedPublisher } from './feed-port.ts';
import type { PublisherInfo } from './feed-stats.ts';
import { nodeAudio, nodeVideo } from './node-tracks.ts';
import { LayerFilter, type PublisherLayer } from './publisher-layer.ts';
import { type PublisherSections, SectionNames } from './publisher-sections.ts';
import { PublisherClock } from './sender-clock.ts';
import { VIDEO_CLOCK_HZ } from './track.ts';
import type { VideoTrack } from './video-track.ts';
import { createSsrc } from './viewer.ts';

const FEEDBACK_INTERVAL_MS = 1000;
const NACK_INTERVAL_MS = 20;
const ARRIVALS_INTERVAL_MS = 100;

/** What a publisher needs. */
export interface PublisherOptions {
  readonly kind: 'whip' | 'pull';
  readonly sessionId: string | null;
  readonly peer: string | null;
  readonly feed: FeedPort;
  readonly transport: PacketTransport;
  readonly logger: Logger;
  readonly videoPayloadType: number;
  readonly audio: { readonly codec: AudioCodec; readonly payloadType: number } | null;
  /** Of retransmissions of the picture (RFC 4588); null if it sends them unchanged. */
  readonly repairPayloadType: number | null;
  /** How its packets name their section; null if they do not, and payload types alone distinguish picture and sound. */
  readonly sections: PublisherSections | null;
  /** Number of the header extension that numbers all of its packets; null if it takes no transport-wide feedback. */
  readonly transportExtension: number | null;
  /** It accepts feedback without a report before it (RFC 5506); some publishers ignore everything after one. */
  readonly reducedSize: boolean;
  /** A browser goes up to the bitrate that its receiver estimates: this one. */
  readonly maxBitrateKbps: number;
  /** What of its offer cannot be passed on, in words. */
  readonly notices: readonly string[];
  /** Parameter sets that the publisher gave in its SDP. */
  readonly parameterSets: readonly Buffer[];
  /** The layer that is taken here, of several that it sends at once; null if it sends one. */
  readonly layer?: PublisherLayer | null;
  /** Receives the full layer of the same session if this is the small one. */
  readonly full?: FeedPublisher | null;
  /** Asked once the publisher is connected: a name belongs to who sends under it, not to who offered to. False: it is taken. */
  readonly claim: () => boolean;
}

interface IncomingTrack {
  readonly track: VideoTrack | AudioTrack;
  readonly clockRate: number;
  readonly guard: SourceGuard<RtpPacket>;
  /** Of the newest SSRC; null before the first packet. */
  stats: ReceptionStats | null;
  lostBefore: number;
  expectedBefore: number;
}

/**
 * The receiving end of a WHIP publisher, or of a server that is pulled from: receives its packets, requests lost ones again, and
 * gives the feedback that a sender needs.
 */
export class Publisher implements FeedPublisher {
  readonly info: PublisherInfo;
  readonly #options: PublisherOptions;
  readonly #ssrc = createSsrc();
  readonly #clock = new PublisherClock();
  readonly #video: IncomingTrack;
  /** Null if it sends no sound, and before it has the feed. */
  #audio: IncomingTrack | null = null;
  readonly #layer: LayerFilter | null;
  readonly #sections: SectionNames | null;
  #captureDelay = new CaptureDelay(VIDEO_CLOCK_HZ);
  #nacks = new NackGenerator();
  #nackTimer: NodeJS.Timeout | null = null;
  readonly #arrivals = new TransportArrivals();
  #arrivalsTimer: NodeJS.Timeout | null = null;
  #abandoned = 0;
  #lastFeedbackMs = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { kind, feed, transport, sessionId, peer } = options;
    this.info = { kind, sessionId, peer, sinceMs: Date.now() };
    this.#video = incomingTrack(nodeVideo(feed.video), VIDEO_CLOCK_HZ);
    const { layer = null, full = null, sections } = options;
    this.#sections = sections === null ? null : new SectionNames(sections);
    this.#layer = layer === null ? null : new LayerFilter(layer, full === null);
    transport.events.on('rtp', (packet) => this.#receive(packet));
    transport.events.on('rtcp', (compound) => {
      for (const packet of parseRtcp(compound)) this.#handle(packet);
    });
    transport.events.on('state', (state) => {
      if (state === 'connected') this.#connected();
      if (state === 'closed') this.#release();
    });
    feed.expected.add(this);
  }

  get present(): boolean {
    return this.#options.transport.state === 'connected';
  }

  get packetsLost(): number {
    return this.#video.lostBefore + (this.#video.stats?.lostTotal ?? 0);
  }

  get packetsExpected(): number {
    return this.#video.expectedBefore + (this.#video.stats?.expectedTotal ?? 0);
  }

  get notices(): readonly string[] {
    return this.#options.notices;
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

  takeLayer(rid: string): void {
    this.#layer?.rename(rid);
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

  #connected(): void {
    const { claim, feed, transport, logger, audio, parameterSets } = this.#options;
    if (!claim()) {
      logger.warn({ feed: feed.id, peer: this.info.peer }, 'a publisher was sent away: the feed has another');
      transport.close();
      return;
    }
    if (audio !== null)
      this.#audio = incomingTrack(nodeAudio(feed.openAudio(audio.codec)), audioClockOf(audio.codec));
    feed.setSource(this);
    feed.expected.delete(this);
    feed.video.setParameterSets(parameterSets);
    feed.requestKeyframe();
  }

  #receive(datagram: Buffer): void {
    const sent = parseRtp(datagram);
    if (sent === null || this.#options.feed.source !== this) return;
    this.#noteArrival(datagram);
    const kind = this.#kindOf(sent, datagram);
    const isRepair = kind === 'video' && sent.payloadType === this.#options.repairPayloadType;
    if (kind === 'video' && this.#layer?.admits(sent, datagram, isRepair) === false) return;
    const packet = isRepair ? this.#repaired(sent) : sent;
    const incoming = kind === 'video' ? this.#video : kind === 'audio' ? this.#audio : null;
    if (packet === null || incoming === null) return;
    const nowMs = performance.now();
    const { packets, begins } = incoming.guard.admit(packet, nowMs);
    packets.forEach((admitted, i) => {
      this.#take(incoming, admitted, begins && i === 0, nowMs);
    });
  }

  /** Also of packets that carry nothing, with which publishers probe the bandwidth. */
  #noteArrival(datagram: Buffer): void {
    const { transportExtension, full = null } = this.#options;
    // The full layer of a session reports for both.
    if (transportExtension === null || full !== null) return;
    const number = Buffer.from(rtpExtension(datagram, transportExtension), 'latin1');
    if (number.length !== 2) return;
    this.#arrivals.arrived(number.readUInt16BE(0), performance.now());
    this.#arrivalsTimer ??= setTimeout(this.#sendArrivals, ARRIVALS_INTERVAL_MS);
  }

  readonly #sendArrivals = (): void => {
    this.#arrivalsTimer = null;
    if (!this.present) return;
    const mediaSsrc = this.#video.stats?.ssrc ?? 0;
    for (const message of this.#arrivals.take(performance.now())) {
      this.#send(buildTransportFeedback({ senderSsrc: this.#ssrc, mediaSsrc, ...message }));
    }
  };

  /** The section it names wins; a payload type of both sections decides nothing. Null if it was not negotiated. */
  #kindOf({ payloadType, ssrc }: RtpPacket, datagram: Buffer): 'video' | 'audio' | null {
    const { audio, repairPayloadType, videoPayloadType } = this.#options;
    const isVideo = payloadType === videoPayloadType || payloadType === repairPayloadType;
    const isAudio = payloadType === audio?.payloadType;
    const named = this.#sections?.of(ssrc, datagram) ?? null;
    if (named === 'other' || (named === null && isVideo && isAudio && this.#sections !== null)) return null;
    if (isVideo && named !== 'audio') return 'video';
    return isAudio && named !== 'video' ? 'audio' : null;
  }

  /** The packet that a retransmission carries, as it was sent first; null for mere padding, which probes the bandwidth. */
  #repaired(packet: RtpPacket): RtpPacket | null {
    const ssrc = this.#video.stats?.ssrc;
    if (ssrc === undefined || packet.payload.length <= 2) return null;
    const sequence = packet.payload.readUInt16BE(0);
    const payloadType = this.#options.videoPayloadType;
    return { ...packet, ssrc, sequence, payloadType, payload: packet.payload.subarray(2) };
  }

  #take(incoming: IncomingTrack, packet: RtpPacket, begins: boolean, nowMs: number): void {
    const stats = begins ? this.#openStats(incoming, packet.ssrc) : incoming.stats;
    const extended = stats?.arrived(packet.sequence, packet.timestamp, nowMs) ?? 0;
    if (incoming === this.#video) {
      if (begins) this.#lastFeedbackMs = 0;
      this.#captureDelay.noteArrival(packet.timestamp, Date.now());
      if (this.#nacks.arrived(extended, nowMs)) this.#askAgain();
    }
    incoming.track.write(packet, nowMs);
  }

  #openStats(incoming: IncomingTrack, ssrc: number): ReceptionStats {
    incoming.lostBefore += incoming.stats?.lostTotal ?? 0;
    incoming.expectedBefore += incoming.stats?.expectedTotal ?? 0;
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
    const nowMs = performance.now();
    incoming.stats?.noteSenderReport(middleOfNtp(packet.ntp), nowMs);
    const { normalizer, clock } = incoming.track.parts;
    const timestamp = normalizer.timestampOf(packet.ssrc, packet.rtpTimestamp, nowMs);
    if (timestamp !== null)
      clock.noteReport(timestamp, this.#clock.toLocal(unixMsOfNtp(packet.ntp), nowMs), nowMs);
  }

  #send(feedback: Buffer): void {
    if (this.#options.reducedSize) {
      this.#options.transport.sendRtcp(feedback);
      return;
    }
    const report = buildReceiverReport(this.#ssrc, []);
    const name = buildCanonicalName(this.#ssrc, 'rushlight');
    this.#options.transport.sendRtcp(Buffer.concat([report, name, feedback]));
  }

  #release(): void {
    if (this.#nackTimer !== null) clearTimeout(this.#nackTimer);
    this.#nackTimer = null;
    if (this.#arrivalsTimer !== null) clearTimeout(this.#arrivalsTimer);
    this.#arrivalsTimer = null;
    this.#options.feed.expected.delete(this);
    this.#options.feed.removeSource(this);
  }
}

function incomingTrack(track: VideoTrack | AudioTrack, clockRate: number): IncomingTrack {
  return { track, clockRate, guard: new SourceGuard(), stats: null, lostBefore: 0, expectedBefore: 0 };
}
