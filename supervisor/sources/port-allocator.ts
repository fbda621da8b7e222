import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { z } from 'zod';
import { StateError, type StateSection, type StateStore } from '../config/state.ts';
import { udpPortHolder } from './udp-port-holder.ts';

export const portsSection = {
  name: 'ports',
  schema: z.object({ udp: z.record(z.string(), z.int().min(1024).max(65_535)).default({}) }),
} as const satisfies StateSection<z.ZodObject>;

/** Below the ports that Linux gives to whoever asks for any (32768 … 60999), so that nobody gets one of ours by chance. */
const lowest = 20_000;
const highest = 32_766;
const mostTries = 200;

export interface PortAllocatorOptions {
  /** Whether a process with this command line is ours and may have the port: one that outlived a crash of the supervisor. */
  readonly isOurs: (argv: readonly string[]) => boolean;
}

/**
 * UDP ports this machine chose for itself, such as those over which pipelines hand packets to the media process. Whoever
 * got one keeps it: a supervisor that comes back after a crash must find the running pipeline to be the one it wants. It
 * is given up where a program of somebody else has it, and where its user is gone.
 */
export class PortAllocator {
  readonly #state: StateStore;
  /** What a disk that takes nothing could not keep. */
  readonly #unkept = new Map<string, number>();
  readonly #options: PortAllocatorOptions;
  /** Users whose port was looked at since this process began. */
  readonly #proven = new Set<string>();

  constructor(state: StateStore, options: PortAllocatorOptions) {
    this.#state = state;
    this.#options = options;
  }

  /** An even port; the next one, which RTCP may have, is free as well where it is new. */
  async portOf(user: string): Promise<number> {
    const { udp: kept } = this.#state.get(portsSection);
    const known = kept[user] ?? this.#unkept.get(user);
    if (known !== undefined && (this.#proven.has(user) || (await this.#mayHave(known)))) {
      this.#proven.add(user);
      return known;
    }
    const port = await freePort(new Set([...Object.values(kept), ...this.#unkept.values()]));
    try {
      await this.#state.update(portsSection, ({ udp }) => ({ udp: { ...udp, [user]: port } }));
    } catch (error) {
      // A camera need not stand still for it: the port is forgotten with this process.
      if (!(error instanceof StateError)) throw error;
      this.#unkept.set(user, port);
    }
    this.#proven.add(user);
    return port;
  }

  /** Forgets the ports of users that begin with `prefix` and are none of these. */
  async keepOnly(prefix: string, users: readonly string[]): Promise<void> {
    const isGone = (user: string): boolean => user.startsWith(prefix) && !users.includes(user);
    if (!Object.keys(this.#state.get(portsSection).udp).some(isGone)) return;
    await this.#state.update(portsSection, ({ udp }) => ({
      udp: Object.fromEntries(Object.entries(udp).filter(([user]) => !isGone(user))),
    }));
    for (const user of [...this.#proven]) if (isGone(user)) this.#proven.delete(user);
  }

  async #mayHave(port: number): Promise<boolean> {
    if (await isFree(port)) return true;
    const holder = await udpPortHolder(port);
    return holder !== null && this.#options.isOurs(holder);
  }
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < mostTries; tries++) {
    const port = randomInt(lowest / 2, highest / 2) * 2;
    if (!taken.has(port) && (await isFree(port)) && (await isFree(port + 1))) return port;
  }
  // Whatever took them all: any port will do.
  return await bind(0);
}

async function isFree(port: number): Promise<boolean> {
  try {
    await bind(port);
    return true;
  } catch {
    // Taken, or not to be had by us; either way another one is needed.
    return false;
  }
}

/** Binds a port for a moment and gives its number. */
async function bind(wanted: number): Promise<number> {
  const socket = createSocket('udp4');
  try {
    const listening = once(socket, 'listening');
    socket.bind({ port: wanted, address: '127.0.0.1', exclusive: true });
    await listening;
    return socket.address().port;
  } finally {
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }
}
