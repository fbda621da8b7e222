import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { z } from 'zod';
import { StateError, type StateSection, type StateStore } from '../config/state.ts';

export const portsSection = {
  name: 'ports',
  schema: z.object({ udp: z.record(z.string(), z.int().min(1024).max(65_535)).default({}) }),
} as const satisfies StateSection<z.ZodObject>;

/**
 * UDP ports this machine chose for itself, such as those over which pipelines hand packets to the media process. Whoever
 * got one keeps it: a supervisor that comes back after a crash must find the running pipeline to be the one it wants.
 */
export class PortBook {
  readonly #state: StateStore;
  /** What a disk that takes nothing could not keep. */
  readonly #unkept = new Map<string, number>();

  constructor(state: StateStore) {
    this.#state = state;
  }

  async portOf(user: string): Promise<number> {
    const { udp: kept } = this.#state.get(portsSection);
    const known = kept[user] ?? this.#unkept.get(user);
    if (known !== undefined) return known;
    const taken = new Set([...Object.values(kept), ...this.#unkept.values()]);
    let port = await freeUdpPort();
    while (taken.has(port)) port = await freeUdpPort();
    try {
      await this.#state.update(portsSection, ({ udp }) => ({ udp: { ...udp, [user]: port } }));
    } catch (error) {
      // A camera need not stand still for it: the port is forgotten with this process.
      if (!(error instanceof StateError)) throw error;
      this.#unkept.set(user, port);
    }
    return port;
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return port;
}
