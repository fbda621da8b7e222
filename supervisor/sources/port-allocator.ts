import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { z } from 'zod';
import { StateError, type StateSection, type StateStore } from '../config/state.ts';
import { udpPortHolder } from './udp-port-holder.ts';

/** The ports in state.json, by user. */
export const portsSection = {
  name: 'ports',
  schema: z.object({ udp: z.record(z.string(), z.int().min(1024).max(65_535)).default({}) }),
} as const satisfies StateSection<z.ZodObject>;

/** Below the ports that Linux assigns by itself (32768 … 60999), so that no program gets one of ours by chance. */
const lowest = 20_000;
const highest = 32_766;
const mostTries = 200;

/** How ports are checked. */
export interface PortAllocatorOptions {
  /** Whether a process with this command line is ours and may have the port: it outlived a crash of the supervisor. */
  readonly isOurs: (argv: readonly string[]) => boolean;
}

/**
 * UDP ports this machine chose for itself, such as those over which pipelines send packets to the media process. A user keeps
 * its port: a supervisor that restarts after a crash must find that the running pipeline is the one it wants. The port is given
 * up if another program has it, or its user is gone.
 */
export class PortAllocator {
  readonly #state: StateStore;
  /** Ports that could not be saved because the disk is not writable. */
  readonly #unkept = new Map<string, number>();
  readonly #options: PortAllocatorOptions;
  /** Users whose port was checked since this process began. */
  readonly #proven = new Set<string>();

  constructor(state: StateStore, options: PortAllocatorOptions) {
    this.#state = state;
    this.#options = options;
  }

  /** An even port. If it is new, the next one, which RTCP may use, is free as well. */
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
      // The camera should not stop because of this: the port is forgotten with this process.
      if (!(error instanceof StateError)) throw error;
      this.#unkept.set(user, port);
    }
    this.#proven.add(user);
    return port;
  }

  /** Forgets the ports of users whose names begin with `prefix` and that are not among these. */
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
  // All of them are taken: any port will do.
  return await bind(0);
}

async function isFree(port: number): Promise<boolean> {
  try {
    await bind(port);
    return true;
  } catch {
    // Taken, or not allowed for us; either way another one is needed.
    return false;
  }
}

/** Binds a port for a moment and returns its number. */
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
