/** A way to a server with two addresses: it answers checks from the one, and speaks from the other. Full ICE agents do that. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isStun } from '../datapath/ice/stun.ts';

/** A server with two addresses. */
export class TwoDoors implements AsyncDisposable {
  readonly #checked = createSocket('udp4');
  readonly #spoken = createSocket('udp4');
  readonly #inside = createSocket('udp4');
  #client: number | null = null;
  #server: number | null = null;

  async open(): Promise<void> {
    for (const socket of [this.#checked, this.#spoken, this.#inside]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    for (const door of [this.#checked, this.#spoken]) {
      door.on('message', (datagram, from) => {
        this.#client = from.port;
        // A check of the second door is heard, but gets no answer.
        const isUnanswered = door === this.#spoken && isStun(datagram);
        if (this.#server !== null && !isUnanswered) this.#inside.send(datagram, this.#server, '127.0.0.1');
      });
    }
    this.#inside.on('message', (datagram) => {
      const door = isStun(datagram) ? this.#checked : this.#spoken;
      if (this.#client !== null) door.send(datagram, this.#client, '127.0.0.1');
    });
  }

  /** Puts the doors into an answer, in place of the server's own address. */
  edit(answer: string): string {
    const candidate = /^a=candidate:.* 127\.0\.0\.1 (\d+) .*$/m.exec(answer);
    this.#server = Number(candidate?.[1]);
    const line = (number: number, socket: Socket) =>
      `a=candidate:${number} 1 udp 2130706431 127.0.0.1 ${socket.address().port} typ host`;
    return answer.replace(candidate?.[0] ?? '', `${line(1, this.#checked)}\r\n${line(2, this.#spoken)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sockets = [this.#checked, this.#spoken, this.#inside];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  }
}
