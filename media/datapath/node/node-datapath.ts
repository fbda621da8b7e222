/** The datapath in JavaScript: Node's sockets and crypto, werift's DTLS. Works everywhere without a compiler. */
import type {
  DatapathAddresses,
  DatapathStats,
  DtlsFingerprint,
  IceCandidate,
  PacketDatapath,
  PacketTransport,
  TrackRelay,
} from '../datapath.ts';
import { type DatapathOptions, silenceMsOf } from '../datapath-options.ts';
import { createDtlsCertificate, type DtlsCertificate } from '../dtls/werift-adapter.ts';
import { openIceControlling } from '../ice/ice-controlling.ts';
import { IceLite } from '../ice/ice-lite.ts';
import { TransportSet } from '../transport-set.ts';
import { NodeRelay } from './node-relay.ts';
import { NodeTransport } from './node-transport.ts';
import { UdpMux } from './udp-mux.ts';

/** Makes it. */
export async function createNodeDatapath(options: DatapathOptions): Promise<PacketDatapath> {
  return new NodeDatapath(options, await createDtlsCertificate());
}

class NodeDatapath implements PacketDatapath {
  readonly #options: DatapathOptions;
  readonly #certificate: DtlsCertificate;
  readonly #mux: UdpMux;
  readonly #transports: TransportSet<NodeTransport>;
  readonly #counters = { datagramsOut: 0, datagramsRefused: 0 };

  constructor(options: DatapathOptions, certificate: DtlsCertificate) {
    this.#options = options;
    this.#certificate = certificate;
    this.#mux = new UdpMux(options.logger);
    this.#transports = new TransportSet(options, () => this.#mux.refresh());
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
    this.#transports.listen();
    await this.#mux.listen(addresses);
  }

  async openTransport(mode: 'lite' | 'controlling'): Promise<PacketTransport> {
    const { logger } = this.#options;
    if (mode === 'lite') await this.#transports.refresh();
    const transport = new NodeTransport({
      ice: mode === 'lite' ? new IceLite(this.#mux) : await openIceControlling(logger),
      certificate: this.#certificate,
      logger,
      silenceMs: silenceMsOf(this.#options, mode),
      checks: mode === 'controlling',
      onClosed: (closed) => this.#transports.delete(closed),
      counters: this.#counters,
    });
    return this.#transports.add(transport);
  }

  createRelay(kind: 'video' | 'audio'): TrackRelay {
    return new NodeRelay(kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transports.close();
    await this.#mux.close();
  }
}
