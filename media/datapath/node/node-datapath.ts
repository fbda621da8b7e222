/** The datapath in JavaScript: Node's sockets and crypto, werift's DTLS. Works everywhere without a compiler. */
import type { Logger } from 'pino';
import type {
  DatapathAddresses,
  DatapathStats,
  DtlsFingerprint,
  IceCandidate,
  PacketDatapath,
  PacketTransport,
  TrackRelay,
} from '../datapath.ts';
import { createDtlsCertificate, type DtlsCertificate } from '../dtls/werift-adapter.ts';
import { openIceControlling } from '../ice/ice-controlling.ts';
import { IceLite } from '../ice/ice-lite.ts';
import { NodeRelay } from './node-relay.ts';
import { NodeTransport } from './node-transport.ts';
import { UdpMux } from './udp-mux.ts';

const TICK_MS = 250;
const ADDRESS_POLL_MS = 2000;

/** Times of the datapath, in milliseconds. */
export interface NodeDatapathOptions {
  readonly logger: Logger;
  /** A viewer or publisher that is silent for this long is gone. Default 10 000. */
  readonly peerSilenceMs?: number;
  /** The same for a hub that we publish to. Default 3 000. */
  readonly hubSilenceMs?: number;
}

/** Makes it. */
export async function createNodeDatapath(options: NodeDatapathOptions): Promise<PacketDatapath> {
  return new NodeDatapath(options, await createDtlsCertificate());
}

class NodeDatapath implements PacketDatapath {
  readonly #options: NodeDatapathOptions;
  readonly #certificate: DtlsCertificate;
  readonly #mux: UdpMux;
  readonly #transports = new Set<NodeTransport>();
  readonly #counters = { datagramsOut: 0, datagramsRefused: 0 };
  #tickTimer: NodeJS.Timeout | null = null;
  #pollTimer: NodeJS.Timeout | null = null;
  /** The port is not bound; this was reported once. */
  #unbound = false;

  constructor(options: NodeDatapathOptions, certificate: DtlsCertificate) {
    this.#options = options;
    this.#certificate = certificate;
    this.#mux = new UdpMux(options.logger);
  }

  get fingerprint(): DtlsFingerprint {
    return this.#certificate.fingerprint;
  }

  get bound(): readonly IceCandidate[] {
    return this.#mux.bound;
  }

  get stats(): DatapathStats {
    return {
      transports: this.#transports.size,
      datagramsIn: this.#mux.datagramsIn,
      datagramsOut: this.#counters.datagramsOut,
      datagramsRefused: this.#mux.refused + this.#counters.datagramsRefused,
      sendErrors: this.#mux.sendErrors,
    };
  }

  async listen(addresses: DatapathAddresses): Promise<void> {
    this.#pollTimer ??= setInterval(() => void this.#refresh(), ADDRESS_POLL_MS);
    await this.#mux.listen(addresses);
  }

  async openTransport(mode: 'lite' | 'controlling'): Promise<PacketTransport> {
    const { logger, peerSilenceMs = 10_000, hubSilenceMs = 3000 } = this.#options;
    if (mode === 'lite') await this.#refresh();
    const transport = new NodeTransport({
      ice: mode === 'lite' ? new IceLite(this.#mux) : await openIceControlling(logger),
      certificate: this.#certificate,
      logger,
      silenceMs: mode === 'lite' ? peerSilenceMs : hubSilenceMs,
      checks: mode === 'controlling',
      onClosed: (closed) => this.#forget(closed),
      counters: this.#counters,
    });
    this.#transports.add(transport);
    this.#tickTimer ??= setInterval(this.#tick, TICK_MS);
    return transport;
  }

  createRelay(kind: 'video' | 'audio'): TrackRelay {
    return new NodeRelay(kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pollTimer !== null) clearInterval(this.#pollTimer);
    this.#pollTimer = null;
    for (const transport of [...this.#transports]) transport.close('datapath-closed');
    await this.#mux.close();
  }

  /** Follows the machine's addresses: an answer must name the current one. Never rejects. */
  async #refresh(): Promise<void> {
    try {
      await this.#mux.refresh();
      this.#unbound = false;
    } catch (error) {
      if (!this.#unbound)
        this.#options.logger.warn({ err: error }, 'the media port is not bound; trying again');
      this.#unbound = true;
    }
  }

  readonly #tick = (): void => {
    const nowMs = performance.now();
    for (const transport of [...this.#transports]) transport.tick(nowMs);
  };

  #forget(transport: NodeTransport): void {
    this.#transports.delete(transport);
    if (this.#transports.size > 0 || this.#tickTimer === null) return;
    clearInterval(this.#tickTimer);
    this.#tickTimer = null;
  }
}
