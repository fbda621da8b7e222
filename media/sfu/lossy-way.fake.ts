import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { IceCandidate } from '../datapath/datapath.ts';

/** A path between two peers on which some of the media gets lost. */
export class LossyWay implements Disposable {
  readonly #socket: Socket;
  #client: { address: string; port: number } | null = null;
  lost = 0;

  private constructor(socket: Socket, server: IceCandidate, loses: () => boolean) {
    this.#socket = socket;
    socket.on('message', (datagram, from) => {
      if (from.port !== server.port) {
        this.#client = from;
        socket.send(datagram, server.port, server.address);
      } else if (isMedia(datagram) && loses()) {
        this.lost++;
      } else if (this.#client !== null) {
        socket.send(datagram, this.#client.port, this.#client.address);
      }
    });
  }

  /** A path to `server` on which a packet towards the client is lost if `loses` says so. */
  static async open(server: IceCandidate, loses: () => boolean): Promise<LossyWay> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new LossyWay(socket, server, loses);
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
