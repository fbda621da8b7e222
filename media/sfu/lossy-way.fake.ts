import type { Socket } from 'node:dgram';
import type { IceCandidate } from '../datapath/datapath.ts';
import { openUdpSocket } from '../datapath/node/udp-socket.ts';

/** A path between two peers on which some of the media gets lost. */
export class LossyWay implements Disposable {
  readonly #socket: Socket;
  #client: { address: string; port: number } | null = null;
  lost = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** A path to `server` on which a packet towards the client is lost if `loses` says so; it loses nothing else. */
  static async open(server: IceCandidate, loses: () => boolean): Promise<LossyWay> {
    const socket = await openUdpSocket({
      address: '127.0.0.1',
      port: 0,
      onDatagram: (datagram, from) => way.#carry(datagram, from, server, loses),
      onError: (error) => {
        throw error;
      },
    });
    const way = new LossyWay(socket);
    return way;
  }

  #carry(datagram: Buffer, from: IceCandidate, server: IceCandidate, loses: () => boolean): void {
    if (from.port !== server.port) {
      this.#client = from;
      this.#socket.send(datagram, server.port, server.address);
    } else if (isMedia(datagram) && loses()) {
      this.lost++;
    } else if (this.#client !== null) {
      this.#socket.send(datagram, this.#client.port, this.#client.address);
    }
  }

  get entry(): IceCandidate {
    return { address: '127.0.0.1', port: this.#socket.address().port };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** RTP, not RTCP, which the tests count on. */
function isMedia(datagram: Buffer): boolean {
  const [first = 0, second = 0] = datagram;
  return first >= 128 && first <= 191 && !(second >= 192 && second <= 223);
}
