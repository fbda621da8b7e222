/**
 * The datapath: everything that touches packets. Sockets, ICE, DTLS and SRTP of the sessions; in JavaScript also the
 * shared packet memory of each track and its fan-out. The native one keeps packets to itself, so that what it offers
 * beyond sessions is in `media/sfu/media-plane.ts`, which both fit behind.
 */
import type { EventEmitter } from 'node:events';

/** User fragment and password of one side. */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** A way to reach one side. */
export interface IceCandidate {
  readonly address: string;
  readonly port: number;
  /** It takes TCP connections there (RFC 6544); UDP otherwise. */
  readonly tcp?: true;
}

/** A certificate's fingerprint. */
export interface DtlsFingerprint {
  /** As in SDP, in lower case: `sha-256`. */
  readonly algorithm: string;
  /** Upper-case hex pairs with colons. */
  readonly value: string;
}

/** The peer's side. */
export interface RemoteDescription extends IceCredentials {
  readonly candidates: readonly IceCandidate[];
  readonly fingerprints: readonly DtlsFingerprint[];
  /** Which side of the DTLS handshake is ours. */
  readonly dtlsRole: 'client' | 'server';
}

/** The state of a transport. */
export type TransportState = 'new' | 'connecting' | 'connected' | 'closed';

/** Why a transport closed; `closed` is our own doing. */
export type CloseReason =
  | 'closed'
  | 'remote-closed'
  | 'connect-timeout'
  | 'silent'
  | 'dtls-failed'
  | 'datapath-closed';

/** Called by a transport. */
export interface TransportEvents {
  state: [state: TransportState, reason: CloseReason | null];
}

/** Emits a transport's states. */
export interface TransportStates {
  on(event: 'state', listener: (...args: TransportEvents['state']) => void): unknown;
}

/** Called by a transport whose packets pass through JavaScript. */
export interface PacketEvents extends TransportEvents {
  /** A decrypted packet, header included; the buffer is the receiver's to keep. */
  rtp: [packet: Buffer];
  rtcp: [compound: Buffer];
}

/**
 * One session's way to its peer. A `lite` transport shares the datapath's port and waits to be checked (ICE-lite,
 * RFC 8445 section 2.5); a `controlling` one has its own socket and checks the peer.
 */
export interface MediaTransport {
  readonly events: TransportStates;
  readonly state: TransportState;
  readonly local: IceCredentials;
  readonly candidates: readonly IceCandidate[];
  /** Monotonic time (performance.now) of the last authenticated packet or check of the peer; null before the first. */
  readonly lastHeardMs: number | null;
  /** The peer is quieter than ever: packets sent now probably reach no one. */
  readonly quiet: boolean;
  /** Sets the peer's side and lets the connection begin. */
  connect(remote: RemoteDescription): void;
  addRemoteCandidate(candidate: IceCandidate): void;
  /** New credentials for an ICE restart. The old ones stay valid until the peer uses the new ones. */
  restartIce(remote: IceCredentials & { readonly candidates: readonly IceCandidate[] }): void;
  /** Tells the peer (DTLS close_notify) and frees everything. Idempotent. */
  close(reason?: CloseReason): void;
}

/** A transport whose packets pass through JavaScript. */
export interface PacketTransport extends MediaTransport {
  readonly events: EventEmitter<PacketEvents>;
  /** Sends plain RTCP, encrypted; dropped while not connected. */
  sendRtcp(compound: Buffer): void;
}

/** One packet of a track, in the feed's own numbering. */
export interface TrackPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** Receives the packets of a tap: in order, one by one, with their own numbering. */
export interface PacketOutlet {
  /** True while packets passed on now would have to wait. */
  readonly blocked: boolean;
  sendRtp(
    head: { ssrc: number; payloadType: number; marker: boolean; timestamp: number },
    sequence: number,
    payload: Buffer,
  ): void;
}

/** Retransmissions (RFC 4588). */
export interface RepairStream {
  readonly payloadType: number;
  readonly ssrc: number;
}

/** How a sink treats loss. */
export interface SinkOptions {
  readonly ssrc: number;
  readonly payloadType: number;
  /** Never waits for a keyframe because too much is lost: its loss shows what the path carries. Default false. */
  readonly steady?: boolean;
  /** Retransmissions use a separate stream; without one, packets are sent as they were. */
  readonly repair?: RepairStream | null;
}

/** Counters of a sink. */
export interface SinkStats {
  readonly packets: number;
  /** Payload octets, as sender reports count them. */
  readonly octets: number;
  readonly retransmitted: number;
  readonly retransmittedOctets: number;
  /** Packets asked for again that were not sent: their first repetition was under way, or there were too many. */
  readonly retransmitsRefused: number;
  /** Frames left out because the viewer's path was blocked, or loses more than repetitions can repair. */
  readonly skippedFrames: number;
  /** Timestamp of the newest packet sent; null before the first. */
  readonly lastTimestamp: number | null;
}

/** A track on its way to one viewer, in that viewer's own sequence space. */
export interface TrackSink extends Disposable {
  readonly stats: SinkStats;
  readonly started: boolean;
  /** When it started last, by the clock of `performance.now()`. */
  readonly startedMs: number;
  /** Called a few times a second: shows the remembered keyframe again to a viewer that lost too much and gets no new one. */
  tick(nowMs: number): void;
  /** It still sends the track from which another one took it over. */
  readonly moving: boolean;
  /** Starts at `sequence` of the track with the kept packets, then continues live. `preface` payloads come first. */
  start(sequence: number, preface?: readonly Buffer[]): void;
  /** Starts with the next keyframe (video) or the next packet (audio). */
  startAtNext(): void;
  /** Sends nothing until the next start. */
  pause(): void;
  /** What is added to the track's timestamps for this viewer. */
  readonly timestampOffset: number;
  /**
   * Sends packets again by their 16-bit numbers in the viewer's space; none twice within a round trip of `rttMs`. False if one
   * is no longer kept or the path cannot take it: only a new keyframe helps, and video waits for it unless steady. A packet
   * that never arrived here is left to the publisher. No more numbers are looked up than were ever sent. If `hasty`, a lone
   * loss is sent twice at once: the viewer does not know its round trip, and a browser then asks again only after 0.1 s.
   */
  retransmit(lost: readonly number[], rttMs?: number, hasty?: boolean): boolean;
}

/** The shared memory and fan-out of one track of a feed. */
export interface TrackRelay extends Disposable {
  /** Sequence number of the newest packet; null before the first. */
  readonly head: number | null;
  /** Start of the newest keyframe that is still kept; null if there is none. */
  readonly keyframe: number | null;
  /** What else decoding from that keyframe needs; usually nothing. */
  readonly preface: readonly Buffer[];
  write(packet: TrackPacket): void;
  /** The picture beginning at `sequence` can be decoded without earlier packets; `preface` supplies what it lacks. */
  markKeyframe(sequence: number, preface?: readonly Buffer[]): void;
  addSink(transport: MediaTransport, options: SinkOptions): TrackSink;
  /**
   * Takes a sink over from another track of the same picture, in the viewer's own numbers and time: at once if nothing is sent, else
   * with the next keyframe; until then the other track continues. `lead` says how far the times of that one are ahead of ours; null
   * if that is not known. A sink of this track stays.
   */
  takeOver(sink: TrackSink, lead: () => number | null): void;
  /** The same for a reader within this machine, such as a decoder. */
  addTap(outlet: PacketOutlet): TrackSink;
}

/** Counters of the datapath. */
export interface DatapathStats {
  readonly transports: number;
  readonly datagramsIn: number;
  readonly datagramsOut: number;
  /** Datagrams that belonged to no session or failed authentication. */
  readonly datagramsRefused: number;
  readonly sendErrors: number;
}

/** Where the shared port listens. */
export interface DatapathAddresses {
  /** 0 takes any free port; the one taken is then kept. */
  readonly udpPort: number;
  /** TCP port for peers whose network blocks UDP; 0 is the number of the UDP port, null is none. The datapath in JavaScript has none. */
  readonly tcpPort?: number | null;
  /** Addresses of this machine, or `auto`: those of `localAddresses`, followed as they change. */
  readonly listenAddresses: 'auto' | readonly string[];
}

/** Opens transports on one shared port. */
export interface Datapath extends AsyncDisposable {
  /** Fingerprint of the certificate that all transports present. */
  readonly fingerprint: DtlsFingerprint;
  readonly stats: DatapathStats;
  /** Where the shared UDP port listens now. */
  readonly bound: readonly IceCandidate[];
  /** Opens or moves the shared port. Rejects with UDP_BIND_FAILED if no address could be bound. */
  listen(addresses: DatapathAddresses): Promise<void>;
  openTransport(mode: 'lite' | 'controlling'): Promise<MediaTransport>;
}

/** A datapath whose packets pass through JavaScript. */
export interface PacketDatapath extends Datapath {
  openTransport(mode: 'lite' | 'controlling'): Promise<PacketTransport>;
  createRelay(kind: 'video' | 'audio'): TrackRelay;
}
