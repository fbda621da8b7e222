/** Somebody who gets a feed: a WHEP viewer, or the hub that a camera publishes to. */
import { randomInt } from 'node:crypto';
import type { PacketTransport, TrackSink } from '../datapath/datapath.ts';
import { middleOfNtp, ntpOfUnixMs } from '../rtp/ntp.ts';
import { parseRtcp, type ReportBlock, type RtcpPacket } from '../rtp/rtcp.ts';
import { buildCanonicalName, buildSenderReport } from '../rtp/rtcp-build.ts';
import type { FeedPort, FeedViewer } from './feed-port.ts';
import type { ViewerStats } from './feed-stats.ts';
import { nodeAudio, nodeVideo } from './node-tracks.ts';
import { RateMeter } from './rate-meter.ts';
import type { TrackParts } from './track.ts';

const REPORT_INTERVAL_MS = 1000;
const REMEMBERED_REPORTS = 8;

/** What a viewer needs. */
export interface ViewerOptions {
  readonly id: string;
  readonly peer: string | null;
  readonly feed: FeedPort;
  readonly transport: PacketTransport;
  readonly cname: string;
  /** See SinkOptions. */
  readonly steady: boolean;
  readonly video: { readonly payloadType: number; readonly ssrc: number };
  readonly audio: { readonly payloadType: number; readonly ssrc: number } | null;
}

interface OutgoingTrack {
  readonly ssrc: number;
  readonly sink: TrackSink;
  readonly parts: TrackParts;
}

/** A random SSRC. */
export function createSsrc(): number {
  return randomInt(1, 2 ** 32 - 1);
}

/** See the head of this file. */
export class Viewer implements FeedViewer {
  readonly id: string;
  readonly #options: ViewerOptions;
  readonly #video: OutgoingTrack;
  readonly #audio: OutgoingTrack | null;
  readonly #rate = new RateMeter();
  readonly #repairRate = new RateMeter();
  readonly #reports = new Map<number, number>();
  #suspended = false;
  #lastReportMs = 0;
  #lossRatio: number | null = null;
  #rttMs: number | null = null;

  constructor(options: ViewerOptions) {
    this.id = options.id;
    this.#options = options;
    const { feed, transport, video, audio } = options;
    this.#video = this.#open(nodeVideo(feed.video).parts, video);
    this.#audio =
      audio === null || feed.audio === null ? null : this.#open(nodeAudio(feed.audio).parts, audio);
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

  /** Called a few times a second. */
  tick(nowMs: number): void {
    const { transport } = this.#options;
    if (transport.state !== 'connected') return;
    const [video, audio] = [this.#video.sink.stats, this.#audio?.sink.stats];
    this.#rate.sample(video.octets + (audio?.octets ?? 0), nowMs);
    this.#repairRate.sample(video.retransmittedOctets + (audio?.retransmittedOctets ?? 0), nowMs);
    const { quiet } = transport;
    // A viewer that does not answer gets nothing until it is back; then it starts anew with a keyframe.
    if (quiet && !this.#suspended) {
      this.#video.sink.pause();
      this.#audio?.sink.pause();
    } else if (!quiet && this.#suspended) {
      this.#start();
    }
    this.#suspended = quiet;
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
      bitrateKbps: Math.round((this.#rate.perSecond * 8) / 1000),
      repairKbps: Math.round((this.#repairRate.perSecond * 8) / 1000),
      lossRatio: this.#lossRatio,
      rttMs: this.#rttMs,
      retransmitted: video.retransmitted + (audio?.retransmitted ?? 0),
      retransmitsRefused: video.retransmitsRefused + (audio?.retransmitsRefused ?? 0),
      skippedFrames: video.skippedFrames,
    };
  }

  #open(parts: TrackParts, track: { ssrc: number; payloadType: number }): OutgoingTrack {
    const { transport, steady } = this.#options;
    return { ssrc: track.ssrc, parts, sink: parts.relay.addSink(transport, { ...track, steady }) };
  }

  #start(): void {
    const { relay } = this.#video.parts;
    const joinPoint = this.#options.feed.joinPoint(performance.now(), relay.keyframe);
    if (joinPoint === null) this.#video.sink.startAtNext();
    else this.#video.sink.start(joinPoint, relay.preface);
    this.#audio?.sink.startAtNext();
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
        // What cannot be repaired is mended only by a new keyframe.
        if (!track.sink.retransmit(packet.lost, this.#rttMs ?? 0) && track === this.#video)
          this.#options.feed.requestKeyframe();
        break;
      }
      case 'picture-loss':
      case 'full-intra-request':
        this.#options.feed.requestKeyframe();
        break;
      default:
        break;
    }
  }

  #takeReport(report: ReportBlock): void {
    const sentMs = this.#reports.get(report.lastReport);
    if (sentMs !== undefined) {
      const rttMs = performance.now() - sentMs - (report.delaySinceLastReport * 1000) / 65536;
      this.#rttMs = Math.max(0, Math.round(rttMs * 10) / 10);
    }
    if (report.ssrc === this.#video.ssrc) this.#lossRatio = report.lossRatio;
  }

  #report(nowMs: number): void {
    for (const track of [this.#video, this.#audio]) {
      if (track === null || track.sink.stats.lastTimestamp === null) continue;
      const unixMs = Date.now();
      const rtpTimestamp = track.parts.clock.timestampAt(performance.now());
      if (rtpTimestamp === null) continue;
      const ntp = ntpOfUnixMs(unixMs);
      const { packets, octets } = track.sink.stats;
      this.#remember(middleOfNtp(ntp), nowMs);
      const report = buildSenderReport({ ssrc: track.ssrc, ntp, rtpTimestamp, packets, octets });
      this.#options.transport.sendRtcp(
        Buffer.concat([report, buildCanonicalName(track.ssrc, this.#options.cname)]),
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
