import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
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

/** Opens an agent with its own socket. */
export async function openIceControlling(logger: Logger): Promise<IceControlling> {
  const agent: { current: IceControlling | null } = { current: null };
  const socket = await openUdpSocket({
    address: '0.0.0.0',
    port: 0,
    onDatagram: (datagram, from) => agent.current?.receive(datagram, from),
    onError: (error) => agent.current?.noteError(error),
  });
  agent.current = new IceControlling(socket, logger);
  return agent.current;
}

/**
 * A controlling ICE agent with a socket of its own, for publishing to another machine. Its own socket keeps several
 * sessions to the same hub apart, which share both addresses otherwise.
 */
export class IceControlling implements IceEndpoint {
  readonly local: IceCredentials = createIceCredentials();
  readonly candidates: readonly IceCandidate[];
  readonly #socket: Socket;
  readonly #logger: Logger;
  readonly #paths = new Map<string, NetworkPath>();
  #remote: RemoteIce | null = null;
  #checker: IceChecker | null = null;
  #handlers: IceHandlers | null = null;
  #selected: NetworkPath | null = null;
  #errors = 0;
  #closed = false;

  constructor(socket: Socket, logger: Logger) {
    this.#socket = socket;
    this.#logger = logger;
    const { port } = socket.address();
    this.candidates = localAddresses().map((address) => ({ address, port }));
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

  /** Our socket speaks IPv4 alone. */
  addRemoteCandidate(candidate: IceCandidate): void {
    if (isIPv4(candidate.address)) this.#checker?.addCandidate(candidate);
  }

  restart(): void {
    // A controlling side of ours never restarts: it opens a new session, which is as fast and has fewer states.
  }

  receive(datagram: Buffer, from: RemoteInfo): void {
    const path = this.#pathTo(from.address, from.port);
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
    this.#socket.close();
  }

  #answered(path: NetworkPath): void {
    this.#handlers?.onAlive();
    if (this.#selected !== null) return;
    this.#selected = path;
    this.#handlers?.onSelected();
  }

  #pathTo(address: string, port: number): NetworkPath {
    const key = `${address}:${port}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = new NetworkPath(this.#socket, address, port, (error) => this.noteError(error));
    if (this.#paths.size < 64) this.#paths.set(key, path);
    return path;
  }
}
