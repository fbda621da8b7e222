import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import type { IceCandidate, IceCredentials } from '../datapath.ts';
import { localAddresses } from '../local-addresses.ts';
import { NetworkPath } from '../network-path.ts';
import { openUdpSocket } from '../node/udp-socket.ts';
import { IceChecker } from './ice-checker.ts';
import { createIceCredentials } from './ice-credentials.ts';
import type { IceEndpoint, IceHandlers, RemoteIce } from './ice-endpoint.ts';
import { answerCheck } from './ice-responder.ts';
import { isStun } from './stun.ts';

/** Its sockets: one for each family that this machine has. */
export interface OwnSockets {
  readonly four: Socket | null;
  readonly six: Socket | null;
}

/** Opens an agent with its own sockets. */
export async function openIceControlling(logger: Logger): Promise<IceControlling> {
  const agent: { current: IceControlling | null } = { current: null };
  const open = async (address: string): Promise<Socket | null> => {
    try {
      const socket = await openUdpSocket({
        address,
        port: 0,
        onDatagram: (datagram, from) => agent.current?.receive(datagram, from),
        onError: (error) => agent.current?.noteError(error),
      });
      return socket;
    } catch (error) {
      logger.debug({ err: error, address }, 'this family cannot be used for publishing');
      return null;
    }
  };
  agent.current = new IceControlling({ four: await open('0.0.0.0'), six: await open('::') }, logger);
  return agent.current;
}

/**
 * A controlling ICE agent with sockets of its own, for publishing to another machine. They keep several sessions to the same hub
 * apart, which share both addresses otherwise.
 */
class IceControlling implements IceEndpoint {
  readonly local: IceCredentials = createIceCredentials();
  readonly candidates: readonly IceCandidate[];
  readonly #sockets: OwnSockets;
  readonly #logger: Logger;
  readonly #paths = new Map<string, NetworkPath>();
  #remote: RemoteIce | null = null;
  #checker: IceChecker | null = null;
  #handlers: IceHandlers | null = null;
  #selected: NetworkPath | null = null;
  #errors = 0;
  #closed = false;

  constructor(sockets: OwnSockets, logger: Logger) {
    this.#sockets = sockets;
    this.#logger = logger;
    this.candidates = localAddresses().flatMap((address) => {
      const port = this.#socketFor(address)?.address().port;
      return port === undefined ? [] : { address, port };
    });
  }

  get selected(): NetworkPath | null {
    return this.#selected;
  }

  connect(remote: RemoteIce, handlers: IceHandlers): void {
    this.#remote = remote;
    this.#handlers = handlers;
    this.#checker = new IceChecker({
      local: this.local,
      remote,
      openPath: (candidate) => this.#pathTo(candidate.address, candidate.port),
      onAnswer: (path) => this.#answered(path),
    });
    for (const candidate of remote.candidates) this.addRemoteCandidate(candidate);
    this.#checker.start();
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.#checker?.addCandidate(candidate);
  }

  restart(): void {
    // A controlling side of ours never restarts: it opens a new session, which is as fast and has fewer states.
  }

  receive(datagram: Buffer, from: RemoteInfo): void {
    const path = this.#pathTo(from.address, from.port);
    if (path === null) return;
    if (!isStun(datagram)) {
      if (this.#selected !== null) this.#handlers?.onDatagram(datagram, path);
      return;
    }
    if (this.#checker?.receive(datagram)) return;
    const remote = this.#remote;
    if (remote === null) return;
    if (answerCheck(datagram, path, [{ ...this.local, remoteUfrag: remote.ufrag }], 'controlling') === null)
      return;
    this.#checker?.addCandidate({ address: from.address, port: from.port });
  }

  /** Media alone proves nothing here: consent needs answered checks. */
  heardOn(): void {}

  noteError(error: Error): void {
    if (this.#errors++ === 0) this.#logger.debug({ err: error }, 'sending to the hub failed; counting');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#checker?.stop();
    this.#handlers = null;
    this.#selected = null;
    this.#sockets.four?.close();
    this.#sockets.six?.close();
  }

  #answered(path: NetworkPath): void {
    this.#handlers?.onAlive();
    if (this.#selected !== null) return;
    this.#selected = path;
    this.#handlers?.onSelected();
  }

  #socketFor(address: string): Socket | null {
    return isIPv6(address) ? this.#sockets.six : this.#sockets.four;
  }

  /** Null if this machine lacks the family. */
  #pathTo(address: string, port: number): NetworkPath | null {
    const socket = this.#socketFor(address);
    if (socket === null) return null;
    const key = `${address}:${port}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = new NetworkPath(socket, address, port, (error) => this.noteError(error));
    if (this.#paths.size < 64) this.#paths.set(key, path);
    return path;
  }
}
