import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { z } from 'zod';
import type { StateSection, StateStore } from '../config/state.ts';

export const portsSection = {
  name: 'ports',
  schema: z.object({ ingest: z.record(z.string(), z.int().min(1024).max(65_535)).default({}) }),
} as const satisfies StateSection<z.ZodObject>;

/**
 * Loopback ports over which pipelines hand their packets to the media process. A source keeps its port: a supervisor
 * that comes back after a crash must find the running pipeline to be the one it wants.
 */
export class PortBook {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  async portOf(source: string): Promise<number> {
    const known = this.#state.get(portsSection).ingest[source];
    if (known !== undefined) return known;
    const taken = new Set(Object.values(this.#state.get(portsSection).ingest));
    let port = await freeUdpPort();
    while (taken.has(port)) port = await freeUdpPort();
    await this.#state.update(portsSection, ({ ingest }) => ({ ingest: { ...ingest, [source]: port } }));
    return port;
  }

  /** Gives up a port that turned out to be somebody else's. */
  async forget(source: string): Promise<void> {
    await this.#state.update(portsSection, ({ ingest }) => {
      const { [source]: _gone, ...rest } = ingest;
      return { ingest: rest };
    });
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
