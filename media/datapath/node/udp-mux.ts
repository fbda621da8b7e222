import type { RemoteInfo, Socket } from 'node:dgram';
import type { Logger } from 'pino';
import { errorCode } from '../../../common/errors.ts';
import type { DatapathAddresses, IceCandidate } from '../datapath.ts';
import { udpBindError } from '../errors.ts';
import { isStun, parseStun, StunAttribute, StunType } from '../ice/stun.ts';
import { localAddresses } from '../local-addresses.ts';
import { NetworkPath } from '../network-path.ts';
import { openUdpSocket } from './udp-socket.ts';

/** A session on the shared port. */
export interface MuxSession {
  /** A datagram that came by `path`. STUN requests named this session; the rest came from a path it bound. */
  receive(datagram: Buffer, path: NetworkPath): void;
  /** The address of this socket is gone: nothing leaves by it any more. */
  socketClosed(socket: Socket): void;
}

interface Listener {
  readonly address: string;
  readonly socket: Socket;
  /** Paths in use, by `address:port` of the peer. */
  readonly paths: Map<string, { path: NetworkPath; session: MuxSession }>;
}

/**
 * The one UDP port of all viewers and publishers: a socket per local address, so that answers leave from the address
 * that was asked. STUN requests find their session by user name, everything else by the peer's address.
 */
export class UdpMux {
  readonly #logger: Logger;
  readonly #listeners = new Map<string, Listener>();
  readonly #byUfrag = new Map<string, MuxSession>();
  /** Addresses that cannot be bound; it was said once of each. */
  #unbound = new Set<string>();
  #addresses: DatapathAddresses | null = null;
  #port = 0;
  #work: Promise<void> = Promise.resolve();
  datagramsIn = 0;
  refused = 0;
  sendErrors = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get bound(): IceCandidate[] {
    return [...this.#listeners.keys()].map((address) => ({ address, port: this.#port }));
  }

  /** Binds what is wanted and closes the rest. Sockets that stay are not affected. */
  listen(addresses: DatapathAddresses): Promise<void> {
    this.#addresses = addresses;
    return this.refresh();
  }

  /** Follows the machine's addresses. Rejects with UDP_BIND_FAILED if no socket could be bound. */
  refresh(): Promise<void> {
    const work = this.#work.then(
      () => this.#reconcile(),
      () => this.#reconcile(),
    );
    this.#work = work.catch(() => {
      // The caller of this run gets the error; the next run starts afresh.
    });
    return work;
  }

  register(ufrag: string, session: MuxSession): void {
    this.#byUfrag.set(ufrag, session);
  }

  unregister(ufrag: string): void {
    this.#byUfrag.delete(ufrag);
  }

  /** From now on datagrams by `path` belong to `session`. */
  bindPath(path: NetworkPath, session: MuxSession): void {
    this.#listenerOf(path)?.paths.set(`${path.address}:${path.port}`, { path, session });
  }

  unbindPath(path: NetworkPath, session: MuxSession): void {
    const paths = this.#listenerOf(path)?.paths;
    const key = `${path.address}:${path.port}`;
    if (paths?.get(key)?.session === session) paths.delete(key);
  }

  async close(): Promise<void> {
    this.#addresses = { udpPort: 0, listenAddresses: [] };
    await this.refresh();
    this.#byUfrag.clear();
  }

  get sessions(): number {
    return this.#byUfrag.size;
  }

  async #reconcile(): Promise<void> {
    const addresses = this.#addresses;
    if (addresses === null) return;
    const wanted =
      addresses.listenAddresses === 'auto' ? localAddresses() : [...new Set(addresses.listenAddresses)];
    const port = addresses.udpPort === 0 ? this.#port : addresses.udpPort;
    if (port !== this.#port) {
      for (const address of [...this.#listeners.keys()]) this.#drop(address);
      this.#unbound.clear();
    }
    this.#port = port;
    this.#unbound = new Set(wanted.filter((address) => this.#unbound.has(address)));
    for (const address of [...this.#listeners.keys()]) {
      if (!wanted.includes(address)) this.#drop(address);
    }
    const codes: string[] = [];
    for (const address of wanted) {
      if (this.#listeners.has(address)) continue;
      try {
        await this.#open(address);
        this.#unbound.delete(address);
      } catch (error) {
        codes.push(errorCode(error) ?? String(error));
        if (this.#unbound.has(address)) continue;
        this.#unbound.add(address);
        this.#logger.warn({ err: error, address, port: this.#port }, 'cannot bind the media port; trying on');
      }
    }
    if (wanted.length > 0 && this.#listeners.size === 0) {
      throw udpBindError(this.#port, wanted, codes);
    }
  }

  async #open(address: string): Promise<void> {
    const paths: Listener['paths'] = new Map();
    const socket: Socket = await openUdpSocket({
      address,
      port: this.#port,
      onDatagram: (datagram, from) => this.#receive(socket, paths, datagram, from),
      onError: (error) => this.#noteError(error),
    });
    this.#port = socket.address().port;
    this.#listeners.set(address, { address, socket, paths });
    this.#logger.debug({ address, port: this.#port }, 'media port bound');
  }

  #drop(address: string): void {
    const listener = this.#listeners.get(address);
    if (listener === undefined) return;
    this.#listeners.delete(address);
    for (const session of new Set(this.#byUfrag.values())) session.socketClosed(listener.socket);
    listener.socket.close();
  }

  #receive(socket: Socket, paths: Listener['paths'], datagram: Buffer, from: RemoteInfo): void {
    this.datagramsIn++;
    const known = paths.get(`${from.address}:${from.port}`);
    const named = isStun(datagram) ? this.#named(datagram) : undefined;
    const session = named ?? known?.session;
    if (session === undefined) {
      this.refused++;
      return;
    }
    const path =
      known?.path ??
      new NetworkPath(socket, from.address, from.port, (error) => {
        this.#noteError(error);
      });
    session.receive(datagram, path);
  }

  #named(datagram: Buffer): MuxSession | undefined {
    if (datagram.readUInt16BE(0) !== StunType.REQUEST) return undefined;
    const name = parseStun(datagram)?.attributes.get(StunAttribute.USERNAME)?.toString('latin1') ?? '';
    return this.#byUfrag.get(name.split(':', 1)[0] ?? '');
  }

  #listenerOf(path: NetworkPath): Listener | undefined {
    for (const listener of this.#listeners.values()) if (listener.socket === path.socket) return listener;
    return undefined;
  }

  #noteError(error: Error): void {
    if (this.sendErrors++ === 0)
      this.#logger.warn({ err: error }, 'sending on the media port failed; counting');
  }
}
