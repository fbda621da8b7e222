import type { Socket } from 'node:dgram';
import type { IceCandidate } from '../datapath/datapath.ts';
import { openUdpSocket } from '../datapath/node/udp-socket.ts';

/** What fits through. */
export interface NarrowWayOptions {
  readonly bitsPerSecond: number;
  /** What waits longer than this is lost, as in a router. */
  readonly queueMs: number;
  /** In each direction. */
  readonly delayMs: number;
}

/** A path to a server that carries only so much towards it, with a queue in front. */
export class NarrowWay implements Disposable {
  readonly #socket: Socket;
  readonly #options: NarrowWayOptions;
  #client: { address: string; port: number } | null = null;
  #freeMs = 0;
  carried = 0;
  octets = 0;
  lost = 0;
  /** How long each packet waited. */
  readonly waitedMs: number[] = [];

  private constructor(socket: Socket, options: NarrowWayOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  static async open(server: IceCandidate, options: NarrowWayOptions): Promise<NarrowWay> {
    const socket = await openUdpSocket({
      address: '127.0.0.1',
      port: 0,
      onDatagram: (datagram, from) => way.#receive(datagram, from, server),
      onError: (error) => {
        throw error;
      },
    });
    const way = new NarrowWay(socket, options);
    return way;
  }

  get entry(): IceCandidate {
    return { address: '127.0.0.1', port: this.#socket.address().port };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #receive(datagram: Buffer, from: IceCandidate, server: IceCandidate): void {
    const { bitsPerSecond, delayMs, queueMs } = this.#options;
    if (from.port === server.port) {
      const client = this.#client;
      if (client !== null) this.#later(delayMs, datagram, client);
      return;
    }
    this.#client = from;
    const nowMs = performance.now();
    const waitMs = Math.max(0, this.#freeMs - nowMs);
    if (waitMs > queueMs) {
      this.lost++;
      return;
    }
    this.#freeMs = Math.max(this.#freeMs, nowMs) + (datagram.length * 8000) / bitsPerSecond;
    this.carried++;
    this.octets += datagram.length;
    this.waitedMs.push(waitMs);
    this.#later(this.#freeMs - nowMs + delayMs, datagram, server);
  }

  #later(ms: number, datagram: Buffer, to: IceCandidate): void {
    const copy = Buffer.from(datagram);
    setTimeout(() => {
      try {
        this.#socket.send(copy, to.port, to.address);
      } catch (error) {
        // The test is over.
        if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SOCKET_DGRAM_NOT_RUNNING'))
          throw error;
      }
    }, ms);
  }
}
