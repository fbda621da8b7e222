import { getSystemErrorName } from 'node:util';
import type { Logger } from 'pino';
import type { DatapathAddresses, IceCandidate } from '../datapath.ts';
import { udpBindError } from '../errors.ts';
import { localAddresses } from '../local-addresses.ts';
import { type Handle, SocketUse } from './native-binding.ts';
import type { NativeCore } from './native-core.ts';

/** The one UDP port of all viewers and publishers: a native socket per local address, which follow the machine's addresses. */
export class NativeListener {
  readonly #core: NativeCore;
  readonly #logger: Logger;
  readonly #sockets = new Map<string, Handle>();
  /** Addresses that cannot be bound; it was said once of each. */
  #unbound = new Set<string>();
  #addresses: DatapathAddresses | null = null;
  #port = 0;

  constructor(core: NativeCore, logger: Logger) {
    this.#core = core;
    this.#logger = logger;
  }

  get bound(): IceCandidate[] {
    return [...this.#sockets.keys()].map((address) => ({ address, port: this.#port }));
  }

  /** Binds what is wanted and lets go of the rest. Throws UDP_BIND_FAILED where not one socket could be bound. */
  listen(addresses: DatapathAddresses): void {
    this.#addresses = addresses;
    this.refresh();
  }

  /** Follows the machine's addresses; see `listen`. Sockets that stay are not disturbed. */
  refresh(): void {
    const addresses = this.#addresses;
    if (addresses === null) return;
    const { listenAddresses, udpPort } = addresses;
    const wanted = listenAddresses === 'auto' ? localAddresses() : [...new Set(listenAddresses)];
    const port = udpPort === 0 ? this.#port : udpPort;
    const moved = port !== this.#port;
    if (moved) this.#unbound.clear();
    for (const address of [...this.#sockets.keys()]) {
      if (moved || !wanted.includes(address)) this.#drop(address);
    }
    this.#port = port;
    this.#unbound = new Set(wanted.filter((address) => this.#unbound.has(address)));
    const codes: string[] = [];
    for (const address of wanted) {
      const code = this.#sockets.has(address) ? null : this.#open(address);
      if (code !== null) codes.push(code);
    }
    if (wanted.length > 0 && this.#sockets.size === 0) throw udpBindError(this.#port, wanted, codes);
  }

  close(): void {
    this.#addresses = null;
    for (const address of [...this.#sockets.keys()]) this.#drop(address);
  }

  /** The system's error code; null where the socket is open. */
  #open(address: string): string | null {
    const handle = this.#core.take();
    const port = this.#core.calls.addSocket(handle, address, this.#port, SocketUse.SHARED, 0, 0);
    if (port > 0) {
      this.#port = port;
      this.#sockets.set(address, handle);
      this.#unbound.delete(address);
      this.#logger.debug({ address, port }, 'media port bound');
      return null;
    }
    this.#core.release(handle);
    const code = getSystemErrorName(port);
    if (!this.#unbound.has(address)) {
      this.#logger.warn({ code, address, port: this.#port }, 'cannot bind the media port; trying again');
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
