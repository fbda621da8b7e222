import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import { isRtcp, RTP_HEADER_BYTES, writeRtpHeader } from '../../rtp/rtp-packet.ts';
import type {
  CloseReason,
  IceCandidate,
  IceCredentials,
  PacketEvents,
  PacketTransport,
  RemoteDescription,
  TransportState,
} from '../datapath.ts';
import { CONNECT_TIMEOUT_MS } from '../datapath-options.ts';
import { type DtlsCertificate, DtlsEndpoint, type DtlsKeys } from '../dtls/werift-adapter.ts';
import type { IceEndpoint } from '../ice/ice-endpoint.ts';
import type { NetworkPath } from '../network-path.ts';
import { SrtpReceiver } from '../srtp/srtp-receiver.ts';
import { SrtpSender } from '../srtp/srtp-sender.ts';
import { Silence } from './silence.ts';

/** What a transport needs. */
export interface NodeTransportOptions {
  readonly ice: IceEndpoint;
  readonly certificate: DtlsCertificate;
  readonly logger: Logger;
  /** The peer counts as gone after this silence, or a longer one if it is always quiet. */
  readonly silenceMs: number;
  /** We check the path, so that a living peer is heard all the time. */
  readonly checks: boolean;
  readonly onClosed: (transport: NodeTransport) => void;
  readonly counters: { datagramsOut: number; datagramsRefused: number };
}

/** A session's transport in JavaScript: ICE, DTLS by the adapter, SRTP by Node's crypto. */
export class NodeTransport implements PacketTransport {
  readonly events = new EventEmitter<PacketEvents>();
  readonly #options: NodeTransportOptions;
  readonly #openedMs = performance.now();
  readonly #silence: Silence;
  readonly #header = Buffer.alloc(RTP_HEADER_BYTES);
  #state: TransportState = 'new';
  #dtls: DtlsEndpoint | null = null;
  #sender: SrtpSender | null = null;
  #receiver: SrtpReceiver | null = null;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
    this.#silence = new Silence(options.silenceMs, options.checks ? 'answers' : 'any');
  }

  get state(): TransportState {
    return this.#state;
  }

  get local(): IceCredentials {
    return this.#options.ice.local;
  }

  get candidates(): readonly IceCandidate[] {
    return this.#options.ice.candidates;
  }

  get lastHeardMs(): number | null {
    return this.#silence.lastMs;
  }

  get quiet(): boolean {
    return this.#silence.isQuiet(performance.now());
  }

  /** True while datagrams accumulate in this process instead of leaving. */
  get blocked(): boolean {
    return this.#options.ice.selected?.blocked ?? false;
  }

  connect(remote: RemoteDescription): void {
    if (this.#state !== 'new') return;
    this.#setState('connecting', null);
    this.#dtls = new DtlsEndpoint({
      role: remote.dtlsRole,
      certificate: this.#options.certificate,
      fingerprints: remote.fingerprints,
      send: (datagram) => this.#send(datagram),
      onConnected: (keys) => this.#connected(keys),
      onFailed: (error) => {
        this.#options.logger.warn({ err: error }, 'DTLS failed');
        this.close('dtls-failed');
      },
      onClosed: () => this.close('remote-closed'),
    });
    this.#options.ice.connect(remote, {
      onSelected: () => this.#dtls?.start(),
      onAlive: () => this.#silence.heard(performance.now()),
      onDatagram: (datagram, path) => this.#receive(datagram, path),
    });
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.#options.ice.addRemoteCandidate(candidate);
  }

  restartIce(remote: IceCredentials & { readonly candidates: readonly IceCandidate[] }): void {
    this.#options.ice.restart(remote);
  }

  sendRtcp(compound: Buffer): void {
    if (this.#sender !== null) this.#send(this.#sender.protectRtcp(compound));
  }

  /** Encrypts and sends one packet. `sequence` is extended: its upper part is SRTP's rollover counter. */
  sendRtp(
    head: { ssrc: number; payloadType: number; marker: boolean; timestamp: number },
    sequence: number,
    payload: Buffer,
  ): void {
    if (this.#sender === null) return;
    writeRtpHeader(this.#header, { ...head, sequence: sequence & 0xffff });
    this.#send(this.#sender.protectRtp(this.#header, Math.floor(sequence / 0x10000), payload));
  }

  /** Called a few times a second: notices peers that never came or went away. */
  tick(nowMs: number): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'connected' && nowMs - this.#openedMs > CONNECT_TIMEOUT_MS) {
      const missing = this.#options.ice.selected === null ? 'no connectivity check came' : 'DTLS did not end';
      this.#options.logger.info({ missing }, 'a session was never connected');
      this.close('connect-timeout');
    } else if (this.#silence.isGone(nowMs)) {
      this.close('silent');
    }
  }

  close(reason: CloseReason = 'closed'): void {
    if (this.#state === 'closed') return;
    this.#dtls?.close();
    this.#options.ice.close();
    this.#sender = null;
    this.#receiver = null;
    this.#setState('closed', reason);
    this.events.removeAllListeners();
    this.#options.onClosed(this);
  }

  #connected(keys: DtlsKeys): void {
    this.#sender = new SrtpSender(keys.local);
    this.#receiver = new SrtpReceiver(keys.remote);
    this.#silence.connected(performance.now());
    this.#setState('connected', null);
  }

  #receive(datagram: Buffer, path: NetworkPath): void {
    const first = datagram[0] ?? 0;
    if (first >= 20 && first <= 63) {
      this.#dtls?.receive(datagram);
      return;
    }
    if (first < 128 || first > 191 || this.#receiver === null) return;
    const control = isRtcp(datagram);
    const plain = control ? this.#receiver.unprotectRtcp(datagram) : this.#receiver.unprotectRtp(datagram);
    if (plain === null) {
      this.#options.counters.datagramsRefused++;
      return;
    }
    this.#silence.heard(performance.now());
    this.#options.ice.heardOn(path);
    this.events.emit(control ? 'rtcp' : 'rtp', plain);
  }

  #send(datagram: Buffer): void {
    const path = this.#options.ice.selected;
    if (path === null) return;
    this.#options.counters.datagramsOut++;
    path.send(datagram);
  }

  #setState(state: TransportState, reason: CloseReason | null): void {
    this.#state = state;
    this.events.emit('state', state, reason);
  }
}
