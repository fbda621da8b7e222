import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { IceCandidate } from '../datapath/datapath.ts';

/** A TCP connection to a hub (RFC 4571) for a peer that speaks UDP: each datagram goes on in a frame. */
export class StreamWay implements Disposable {
  readonly socket: Socket;
  readonly #udp: UdpSocket;
  #client: { address: string; port: number } | null = null;
  #partial = Buffer.alloc(0);
  frames = 0;
  closed = false;

  private constructor(socket: Socket, udp: UdpSocket) {
    this.socket = socket;
    this.#udp = udp;
    udp.on('message', (datagram, from) => {
      this.#client = from;
      if (!socket.destroyed) socket.write(framed(datagram));
    });
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', () => {
      // The hub may cut it at any time; `closed` says so.
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(hub: IceCandidate): Promise<StreamWay> {
    const socket = connect(hub.port, hub.address);
    await once(socket, 'connect');
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    return new StreamWay(socket, udp);
  }

  get entry(): IceCandidate {
    return { address: '127.0.0.1', port: this.#udp.address().port };
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
    this.#udp.close();
  }

  #read(bytes: Buffer): void {
    this.#partial = Buffer.concat([this.#partial, bytes]);
    for (;;) {
      const length = this.#partial.length < 2 ? 0 : this.#partial.readUInt16BE(0);
      if (length === 0 || this.#partial.length < 2 + length) return;
      const datagram = this.#partial.subarray(2, 2 + length);
      this.#partial = this.#partial.subarray(2 + length);
      this.frames++;
      if (this.#client !== null) this.#udp.send(datagram, this.#client.port, this.#client.address);
    }
  }
}

/** A datagram behind its length. */
export function framed(datagram: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(datagram.length);
  return Buffer.concat([length, datagram]);
}
