/** A feed on a datapath that only notes what it is given, and publishers whose packets are made by hand. */
import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import type {
  PacketEvents,
  PacketTransport,
  TrackPacket,
  TrackRelay,
  TransportState,
} from '../datapath/datapath.ts';
import { parseRtcp, type RtcpPacket } from '../rtp/rtcp.ts';
import { buildRtp, type RtpPacket } from '../rtp/rtp-packet.ts';
import { AudioTrack } from './audio-track.ts';
import { Feed } from './feed.ts';
import type { FeedState } from './feed-stats.ts';
import type { MediaPlane } from './media-plane.ts';
import { Publisher, type PublisherOptions } from './publisher.ts';
import { VideoTrack } from './video-track.ts';

/** A sequence parameter set: 1920x1080. */
export const SPS = Buffer.from('6742c01fda014016ec0440000003004000000f03c60ca8', 'hex');
/** Its picture parameter set. */
export const PPS = Buffer.from('68ce3c80', 'hex');
/** A keyframe's slice. */
export const IDR = Buffer.concat([Buffer.from([0x65]), Buffer.alloc(100, 1)]);
/** Another picture's slice. */
export const SLICE = Buffer.concat([Buffer.from([0x41]), Buffer.alloc(100, 2)]);

/** What was written to a track, in order. */
export class NotedRelay implements TrackRelay {
  readonly written: TrackPacket[] = [];
  readonly keyframes: number[] = [];
  head: number | null = null;
  keyframe: number | null = null;
  preface: readonly Buffer[] = [];

  write(packet: TrackPacket): void {
    this.written.push(packet);
    this.head = Math.max(this.head ?? 0, packet.sequence);
  }

  markKeyframe(sequence: number, preface: readonly Buffer[] = []): void {
    this.keyframes.push(sequence);
    this.keyframe = sequence;
    this.preface = preface;
  }

  addSink(): never {
    throw new Error('no viewers here');
  }

  takeOver(): never {
    throw new Error('no viewers here');
  }

  addTap(): never {
    throw new Error('no readers here');
  }

  [Symbol.dispose](): void {}
}

/** A transport that records what it is given. */
export class NotedTransport implements PacketTransport {
  readonly events = new EventEmitter<PacketEvents>();
  readonly sent: RtcpPacket[][] = [];
  readonly local = { ufrag: 'ours', pwd: 'ours' };
  readonly candidates = [];
  readonly quiet = false;
  state: TransportState = 'new';
  lastHeardMs: number | null = null;

  connect(): void {}

  addRemoteCandidate(): void {}

  restartIce(): void {}

  sendRtcp(compound: Buffer): void {
    this.sent.push(parseRtcp(compound));
  }

  /** The numbers that were asked for again. */
  get asked(): number[] {
    return this.sent.flat().flatMap((packet) => (packet.kind === 'nack' ? packet.lost : []));
  }

  get pictureLosses(): number {
    return this.sent.flat().filter(({ kind }) => kind === 'picture-loss').length;
  }

  become(state: TransportState): void {
    this.state = state;
    this.events.emit('state', state, state === 'closed' ? 'closed' : null);
  }

  receive(packet: Partial<RtpPacket>): void {
    const whole = {
      marker: true,
      payloadType: 96,
      sequence: 0,
      timestamp: 0,
      ssrc: 1,
      payload: SLICE,
      ...packet,
    };
    this.lastHeardMs = performance.now();
    this.events.emit('rtp', buildRtp(whole));
  }

  close(): void {
    if (this.state !== 'closed') this.become('closed');
  }
}

/** A feed on such a datapath. */
export function openFeed() {
  const relays = { video: new NotedRelay(), audio: new NotedRelay() };
  const plane: Partial<MediaPlane> = {
    openVideo: (events) => new VideoTrack(relays.video, events),
    openAudio: (codec) => new AudioTrack(relays.audio, codec),
  };
  const states: FeedState[] = [];
  const feed = new Feed({
    id: 'cam0',
    datapath: plane as MediaPlane,
    logger: pino({ level: 'silent' }),
    onState: (_, state) => states.push(state),
  });
  /** A publisher that is connected. */
  const publish = (change: Partial<PublisherOptions> = {}) => {
    const transport = new NotedTransport();
    const publisher = new Publisher({
      ...{
        kind: 'whip',
        sessionId: 'session',
        peer: null,
        feed,
        transport,
        logger: pino({ level: 'silent' }),
      },
      ...{ videoPayloadType: 96, audio: null, maxBitrateKbps: 1000 },
      ...{ repairPayloadType: null, sections: null, reducedSize: false, transportExtension: null },
      ...{ parameterSets: [], notices: [], claim: () => true },
      ...change,
    });
    transport.become('connected');
    return { publisher, transport };
  };
  return { feed, relays, states, publish };
}
