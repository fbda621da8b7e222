import { randomInt } from 'node:crypto';
import type { PacketTransport, RepairStream, TrackSink } from '../datapath/datapath.ts';
import { middleOfNtp, ntpOfUnixMs } from '../rtp/ntp.ts';
import { ReferenceTimes } from '../rtp/reference-times.ts';
import { parseRtcp, type ReportBlock, type RtcpPacket } from '../rtp/rtcp.ts';
import { buildCanonicalName, buildReferenceEchoes, buildSenderReport } from '../rtp/rtcp-build.ts';
import { timestampDistance } from '../rtp/sequence.ts';
import type { AudioCodec } from './audio-codec.ts';
import type { FeedLayer, FeedPort, FeedViewer } from './feed-port.ts';
import type { ViewerStats } from './feed-stats.ts';
import { nodeAudio, nodeVideo } from './node-tracks.ts';
import { RateMeter } from './rate-meter.ts';
import type { TrackParts } from './track.ts';

const REPORT_INTERVAL_MS = 1000;
const REMEMBERED_REPORTS = 8;
/** A viewer starts with the same keyframe again at most this often, and only if there is no new one. */
const RESTART_MS = 2000;
const DEAF_MS = 1000;
/** A busy viewer answers a report late, and repairs must not wait for that: a longer round trip is believed only slowly. */
const FOLLOW = 0.125;
/** So small a share is not a path that is full. */
const LITTLE_LOSS = 0.06;

/** A stream that a viewer gets. */
export interface SentStream {
  readonly payloadType: number;
  readonly ssrc: number;
  /** See SinkOptions. */
  readonly repair?: RepairStream | null;
}

/** What a viewer needs. */
export interface ViewerOptions {
  readonly id: string;
  readonly peer: string | null;
  readonly feed: FeedPort;
  readonly transport: PacketTransport;
  readonly cname: string;
  /** See SinkOptions. */
  readonly steady: boolean;
  readonly video: SentStream;
  readonly audio: AgreedAudio | null;
}

/** Sound that a viewer takes: there may be none yet, and then it comes in one of these codecs. */
export interface AgreedAudio {
  readonly ssrc: number;
  readonly payloadTypes: ReadonlyMap<AudioCodec, number>;
}

interface OutgoingTrack {
  readonly ssrc: number;
  readonly sink: TrackSink;
  parts: TrackParts;
}

/** A random SSRC. */
export function createSsrc(): number {
  return randomInt(1, 2 ** 32 - 1);
}

/** Somebody who gets a feed: a WHEP viewer, or the hub that a camera publishes to. */
export class Viewer implements FeedViewer {
  readonly id: string;
  readonly #options: ViewerOptions;
  readonly #video: OutgoingTrack;
  #audio: OutgoingTrack | null;
  readonly #rate = new RateMeter();
  readonly #repairRate = new RateMeter();
  readonly #reports = new Map<number, number>();
  readonly #references = new ReferenceTimes();
  /** It tells its clocks, so it knows its round trip although it only receives. */
  #knowsRoundTrip = false;
  /** What it gets, or goes over to. */
  #layer: FeedLayer;
  #paused = false;
  #suspended = false;
  #lastReportMs = 0;
  #lossRatio: number | null = null;
  #rttMs: number | null = null;
  #usualRttMs: number | null = null;

  constructor(options: ViewerOptions) {
    this.id = options.id;
    this.#options = options;
    const { feed, transport, video } = options;
    this.#layer = feed;
    this.#video = this.#open(nodeVideo(feed.video).parts, video);
    this.#audio = this.#openAudio();
    transport.events.on('rtcp', (compound) => this.#receive(compound));
    transport.events.on('state', (state) => {
      if (state === 'connected') this.#start();
      if (state === 'closed') this.#release();
    });
    feed.viewers.add(this);
  }

  close(): void {
    this.#options.transport.close();
    this.#release();
  }

  hear(): void {
    if (this.#audio !== null) return;
    this.#audio = this.#openAudio();
    if (this.#options.transport.state === 'connected' && !this.#suspended) this.#audio?.sink.startAtNext();
  }

  view(layer: FeedLayer): void {
    if (layer === this.#layer) return;
    this.#layer = layer;
    const [from, to] = [this.#video.parts, nodeVideo(layer.video).parts];
    to.relay.takeOver(this.#video.sink, () => leadOf(from, to));
    this.#video.parts = to;
    if (!this.#paused) layer.requestKeyframe();
  }

  get paused(): boolean {
    return this.#paused;
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (this.#options.transport.state !== 'connected') return;
    if (paused) this.#video.sink.pause();
    else if (!this.#suspended) this.#startVideo();
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    const { transport } = this.#options;
    if (transport.state !== 'connected') return;
    const [video, audio] = [this.#video.sink.stats, this.#audio?.sink.stats];
    this.#rate.sample(video.octets + (audio?.octets ?? 0), nowMs);
    this.#repairRate.sample(video.retransmittedOctets + (audio?.retransmittedOctets ?? 0), nowMs);
    const { quiet } = transport;
    // A viewer that does not answer gets nothing until it is back; then it starts again with a keyframe.
    if (quiet && !this.#suspended) {
      this.#video.sink.pause();
      this.#audio?.sink.pause();
    } else if (!quiet && this.#suspended) {
      this.#start();
    }
    this.#suspended = quiet;
    this.#video.sink.tick(performance.now());
    if (nowMs - this.#lastReportMs >= REPORT_INTERVAL_MS) {
      this.#lastReportMs = nowMs;
      this.#report(nowMs);
    }
  }

  stats(): ViewerStats {
    const [video, audio] = [this.#video.sink.stats, this.#audio?.sink.stats];
    return {
      id: this.id,
      peer: this.#options.peer,
      connected: this.#options.transport.state === 'connected',
      layer: this.#layer.layer,
      paused: this.#paused,
      bitrateKbps: Math.round((this.#rate.perSecond * 8) / 1000),
      repairKbps: Math.round((this.#repairRate.perSecond * 8) / 1000),
      lossRatio: this.#lossRatio,
      rttMs: this.#rttMs,
      retransmitted: video.retransmitted + (audio?.retransmitted ?? 0),
      retransmitsRefused: video.retransmitsRefused + (audio?.retransmitsRefused ?? 0),
      skippedFrames: video.skippedFrames,
    };
  }

  #openAudio(): OutgoingTrack | null {
    const { feed, audio } = this.#options;
    const payloadType = feed.audio === null ? undefined : audio?.payloadTypes.get(feed.audio.codec);
    if (feed.audio === null || audio === null || payloadType === undefined) return null;
    return this.#open(nodeAudio(feed.audio).parts, { ssrc: audio.ssrc, payloadType });
  }

  #open(parts: TrackParts, track: SentStream): OutgoingTrack {
    const { transport, steady } = this.#options;
    return { ssrc: track.ssrc, parts, sink: parts.relay.addSink(transport, { ...track, steady }) };
  }

  #start(): void {
    if (!this.#paused) this.#startVideo();
    this.#audio?.sink.startAtNext();
  }

  #startVideo(): void {
    const { relay } = this.#video.parts;
    const joinPoint = this.#layer.joinPoint(performance.now(), relay.keyframe);
    if (joinPoint === null) this.#video.sink.startAtNext();
    else this.#video.sink.start(joinPoint, relay.preface);
  }

  #release(): void {
    this.#video.sink[Symbol.dispose]();
    this.#audio?.sink[Symbol.dispose]();
    this.#options.feed.viewers.delete(this);
  }

  #receive(compound: Buffer): void {
    for (const packet of parseRtcp(compound)) this.#handle(packet);
  }

  #handle(packet: RtcpPacket): void {
    switch (packet.kind) {
      case 'sender-report':
      case 'receiver-report':
        for (const report of packet.reports) this.#takeReport(report);
        break;
      case 'nack': {
        const track = packet.mediaSsrc === this.#video.ssrc ? this.#video : this.#audio;
        if (track?.ssrc !== packet.mediaSsrc) break;
        const hasty = !this.#knowsRoundTrip && (this.#lossRatio ?? 1) <= LITTLE_LOSS;
        // Only a new keyframe helps after a loss that cannot be repaired.
        if (!track.sink.retransmit(packet.lost, this.#usualRttMs ?? 0, hasty) && track === this.#video)
          this.#layer.requestKeyframe();
        break;
      }
      case 'extended-report':
        for (const time of packet.references) {
          this.#references.note(time, performance.now());
          this.#knowsRoundTrip = true;
        }
        break;
      case 'picture-loss':
      case 'full-intra-request':
        this.#pictureLost();
        break;
      default:
        break;
    }
  }

  /** If the publisher makes no keyframe on request, the remembered one has to do. */
  #pictureLost(): void {
    this.#layer.requestKeyframe();
    const nowMs = performance.now();
    const { sink, parts } = this.#video;
    const ageMs = nowMs - (this.#layer.video.keyframeMs ?? nowMs);
    if (!sink.started || sink.moving || nowMs - sink.startedMs < RESTART_MS || ageMs <= DEAF_MS) return;
    const joinPoint = this.#layer.joinPoint(nowMs, parts.relay.keyframe);
    if (joinPoint !== null) sink.start(joinPoint, parts.relay.preface);
  }

  #takeReport(report: ReportBlock): void {
    const sentMs = this.#reports.get(report.lastReport);
    if (sentMs !== undefined) {
      const rttMs = performance.now() - sentMs - (report.delaySinceLastReport * 1000) / 65536;
      this.#rttMs = Math.max(0, Math.round(rttMs * 10) / 10);
      const usual = this.#usualRttMs ?? this.#rttMs;
      this.#usualRttMs = Math.min(this.#rttMs, usual + (this.#rttMs - usual) * FOLLOW);
    }
    if (report.ssrc === this.#video.ssrc) this.#lossRatio = report.lossRatio;
  }

  #report(nowMs: number): void {
    for (const track of [this.#video, this.#audio]) {
      // The times of the layer that it is about to get are not yet those that it has.
      if (track === null || track.sink.moving || track.sink.stats.lastTimestamp === null) continue;
      const unixMs = Date.now();
      const rtpTimestamp = track.parts.clock.timestampAt(performance.now());
      if (rtpTimestamp === null) continue;
      const ntp = ntpOfUnixMs(unixMs);
      const { packets, octets } = track.sink.stats;
      const timestamp = (rtpTimestamp + track.sink.timestampOffset) >>> 0;
      this.#remember(middleOfNtp(ntp), nowMs);
      const report = buildSenderReport({
        ssrc: track.ssrc,
        ntp,
        rtpTimestamp: timestamp,
        packets,
        octets,
      });
      const echoes = this.#references.take(performance.now());
      this.#options.transport.sendRtcp(
        Buffer.concat([
          report,
          buildCanonicalName(track.ssrc, this.#options.cname),
          ...(echoes.length === 0 ? [] : [buildReferenceEchoes(track.ssrc, echoes)]),
        ]),
      );
    }
  }

  #remember(report: number, nowMs: number): void {
    this.#reports.set(report, nowMs);
    if (this.#reports.size <= REMEMBERED_REPORTS) return;
    const oldest = this.#reports.keys().next().value;
    if (oldest !== undefined) this.#reports.delete(oldest);
  }
}

/** How far the times of one layer are ahead of those of another, at the same picture. */
function leadOf(from: TrackParts, to: TrackParts): number | null {
  const nowMs = performance.now();
  const [here, there] = [from.clock.timestampAt(nowMs), to.clock.timestampAt(nowMs)];
  return here === null || there === null ? null : timestampDistance(there, here);
}
