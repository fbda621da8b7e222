import type { Socket } from 'node:dgram';

/** Datagrams that may wait in the process for a socket before the path counts as blocked. */
const MAX_QUEUED = 256;

/** A path to one peer: a local socket and the peer's address. */
export class NetworkPath {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
  readonly #onError: (error: Error) => void;

  constructor(socket: Socket, address: string, port: number, onError: (error: Error) => void) {
    this.socket = socket;
    this.address = address;
    this.port = port;
    this.#onError = onError;
  }

  /** Sends or queues; failures (no route, interface gone) are reported, never thrown. */
  send(datagram: Buffer): void {
    try {
      this.socket.send(datagram, this.port, this.address, this.#sent);
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  get blocked(): boolean {
    return this.socket.getSendQueueCount() > MAX_QUEUED;
  }

  sameAs(other: NetworkPath): boolean {
    return this.socket === other.socket && this.port === other.port && this.address === other.address;
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#onError(error);
  };
}
