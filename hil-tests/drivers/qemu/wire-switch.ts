import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { MachineSpec } from './argv.ts';

type Wire = Pick<MachineSpec['wire'], 'rigPort' | 'guestPort'>;

const macLength = 6;
const headerLength = 14;

/**
 * An Ethernet switch for virtual machines: joins the wires of several into one link, frame by frame. It learns behind which
 * wire an address is, like a real switch; frames to unknown addresses, and multicast, go to all.
 */
export class WireSwitch implements AsyncDisposable {
  readonly #wires: readonly Wire[];
  readonly #sockets: Socket[] = [];
  readonly #behind = new Map<string, number>();

  constructor(wires: readonly Wire[]) {
    this.#wires = wires;
  }

  async open(): Promise<this> {
    for (const [index, { rigPort }] of this.#wires.entries()) {
      const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22, sendBufferSize: 1 << 22 });
      this.#sockets.push(socket);
      socket.on('message', (frame) => this.#pass(frame, index));
      // No one listens on the wire of a machine that is off: a frame to it is lost, as on a pulled cable.
      socket.on('error', () => {});
      socket.bind(rigPort, '127.0.0.1');
      await once(socket, 'listening');
    }
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.splice(0)) {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    }
  }

  #pass(frame: Buffer, from: number): void {
    if (frame.length < headerLength) return;
    const target = frame.toString('hex', 0, macLength);
    this.#behind.set(frame.toString('hex', macLength, 2 * macLength), from);
    const isMulticast = ((frame[0] ?? 0) & 1) === 1;
    const known = isMulticast ? undefined : this.#behind.get(target);
    if (known === from) return;
    const others = [...this.#wires.keys()].filter((wire) => wire !== from);
    for (const wire of known === undefined ? others : [known]) {
      this.#sockets[wire]?.send(frame, this.#wires[wire]?.guestPort ?? 0, '127.0.0.1');
    }
  }
}
