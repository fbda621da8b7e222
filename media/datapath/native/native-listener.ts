import { getSystemErrorName } from 'node:util';
import type { Logger } from 'pino';
import type { DatapathAddresses, IceCandidate } from '../datapath.ts';
import { udpBindError } from '../errors.ts';
import { localAddresses } from '../local-addresses.ts';
import { type Handle, SocketUse } from './native-binding.ts';
import type { NativeCore } from './native-core.ts';

/**
 * The one UDP port of all viewers and publishers, and the TCP port of those whose network blocks UDP: native sockets per local address,
 * which follow the machine's addresses.
 */
export class NativeListener {
  readonly #udp: SocketSet;
  readonly #tcp: SocketSet;
  #addresses: DatapathAddresses | null = null;

  constructor(core: NativeCore, logger: Logger) {
    this.#udp = new SocketSet(core, logger, 'UDP');
    this.#tcp = new SocketSet(core, logger, 'TCP');
  }

  /** Of UDP. */
  get bound(): IceCandidate[] {
    return this.#udp.bound;
  }

  /** Both, UDP first. */
  get candidates(): IceCandidate[] {
    return [...this.#udp.bound, ...this.#tcp.bound.map((one) => ({ ...one, tcp: true as const }))];
  }

  /** Binds the configured addresses and closes the others. Throws UDP_BIND_FAILED if not one UDP socket could be bound. */
  listen(addresses: DatapathAddresses): void {
    this.#addresses = addresses;
    this.refresh();
  }

  /** Follows the machine's addresses; see `listen`. Sockets that stay are not disturbed. */
  refresh(): void {
    const addresses = this.#addresses;
    if (addresses === null) return;
    const { listenAddresses, udpPort, tcpPort = null } = addresses;
    const wanted = listenAddresses === 'auto' ? localAddresses() : [...new Set(listenAddresses)];
    const codes = this.#udp.follow(wanted, udpPort);
    // Without it everything else works: a port that is taken is in the log.
    if (tcpPort === null) this.#tcp.close();
    else this.#tcp.follow(wanted, tcpPort === 0 ? this.#udp.port : tcpPort);
    if (wanted.length > 0 && this.#udp.bound.length === 0) throw udpBindError(this.#udp.port, wanted, codes);
  }

  close(): void {
    this.#addresses = null;
    this.#udp.close();
    this.#tcp.close();
  }
}

/** Sockets of one protocol on one port, one for each address. */
class SocketSet {
  readonly #core: NativeCore;
  readonly #logger: Logger;
  readonly #protocol: 'UDP' | 'TCP';
  readonly #sockets = new Map<string, Handle>();
  /** Addresses that cannot be bound; it was said once of each. */
  #unbound = new Set<string>();
  #port = 0;

  constructor(core: NativeCore, logger: Logger, protocol: 'UDP' | 'TCP') {
    this.#core = core;
    this.#logger = logger;
    this.#protocol = protocol;
  }

  /** 0 before the first was bound, where any would do. */
  get port(): number {
    return this.#port;
  }

  get bound(): IceCandidate[] {
    return [...this.#sockets.keys()].map((address) => ({ address, port: this.#port }));
  }

  /** Gives the system's codes for the addresses that could not be bound now. */
  follow(wanted: readonly string[], wantedPort: number): string[] {
    const port = wantedPort === 0 ? this.#port : wantedPort;
    const moved = port !== this.#port;
    if (moved) this.#unbound.clear();
    for (const address of [...this.#sockets.keys()]) {
      if (moved || !wanted.includes(address)) this.#drop(address);
    }
    this.#port = port;
    this.#unbound = new Set(wanted.filter((address) => this.#unbound.has(address)));
    return wanted.flatMap((address) => (this.#sockets.has(address) ? [] : (this.#open(address) ?? [])));
  }

  close(): void {
    for (const address of [...this.#sockets.keys()]) this.#drop(address);
  }

  /** The system's error code; null if the socket is open. */
  #open(address: string): string | null {
    const handle = this.#core.take();
    const protocol = this.#protocol;
    const use = protocol === 'UDP' ? SocketUse.SHARED : SocketUse.LISTENER;
    const port = this.#core.calls.addSocket(handle, address, this.#port, use, 0, 0);
    if (port > 0) {
      this.#port = port;
      this.#sockets.set(address, handle);
      this.#unbound.delete(address);
      this.#logger.debug({ address, port, protocol }, 'media port bound');
      return null;
    }
    this.#core.release(handle);
    const code = getSystemErrorName(port);
    if (!this.#unbound.has(address)) {
      const fields = { code, address, port: this.#port, protocol };
      this.#logger.warn(fields, 'cannot bind the media port; trying again');
    }
    this.#unbound.add(address);
    return code;
  }

  #drop(address: string): void {
    const handle = this.#sockets.get(address);
    if (handle === undefined) return;
    this.#sockets.delete(address);
    this.#core.calls.closeSocket(handle);
    this.#core.release(handle);
  }
}
