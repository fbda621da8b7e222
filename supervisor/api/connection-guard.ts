import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { LogLimiter } from '../../common/log-limiter.ts';
import { isLoopback, plainAddress } from './access/access-rule.ts';

/** Limits of the connections. Times in milliseconds. */
export interface ConnectionLimits {
  /** Connections of all listeners together. */
  readonly total: number;
  /** Connections of one address; for IPv6 of one network, because a machine has as many addresses as it likes there. */
  readonly perAddress: number;
  /** For the TLS handshake and the head of the first request together, and between two requests. */
  readonly introductionMs: number;
  /** A client that accepts no data for this long is gone or malicious. */
  readonly stalledMs: number;
}

/** One connection of a client may need another descriptor: a file, or the connection to the backend. */
const descriptorsEach = 2;
/** What the rest of the supervisor opens: children, pipes, files, /proc. */
const reservedDescriptors = 256;
const mostConnections = 1024;

/** How many connections this process can take without ever running out of descriptors for its own work. */
export function connectionLimits(descriptors: number = descriptorLimit()): ConnectionLimits {
  const reserved = Math.min(reservedDescriptors, Math.ceil(descriptors / 2));
  const affordable = Math.floor((descriptors - reserved) / descriptorsEach);
  const total = Math.max(8, Math.min(mostConnections, affordable));
  return { total, perAddress: Math.max(6, Math.floor(total / 4)), introductionMs: 20_000, stalledMs: 60_000 };
}

/** RLIMIT_NOFILE of this process, which Node.js raises to the hard limit when it starts. */
function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? mostConnections : Number(soft);
  } catch {
    // No /proc: a limit that every system grants.
    return mostConnections;
  }
}

type Phase = 'silent' | 'busy' | 'idle' | 'upgraded';

interface Guarded {
  /** The socket as it was accepted; below TLS. */
  readonly accepted: Socket;
  /** The one that requests are read from. */
  stream: Socket;
  readonly from: string;
  /** When it came, or when its last answer was finished. */
  sinceMs: number;
  phase: Phase;
  drainedBytes: number;
  drainedMs: number;
}

const lookEveryMs = 1000;

/**
 * Keeps the connections of clients within what the machine can carry, so that no one takes descriptors and memory from its own
 * work. A connection that says nothing is cut, and so is one that accepts nothing; if all places are taken, a newcomer gets the
 * place of one that has not said anything yet, or is between two requests.
 */
export class ConnectionGuard implements Disposable {
  readonly #limits: ConnectionLimits;
  readonly #log: Logger;
  readonly #limiter: LogLimiter;
  readonly #connections = new Map<Socket, Guarded>();
  readonly #byStream = new WeakMap<Socket, Guarded>();
  readonly #counts = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: ConnectionLimits, log: Logger) {
    this.#limits = limits;
    this.#log = log;
    this.#limiter = new LogLimiter({ logger: log, burst: 1, windowMs: 60_000 });
    this.#timer = setInterval(() => this.#look(), Math.min(lookEveryMs, limits.introductionMs));
    this.#timer.unref();
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Guards the connections of one more server, plain or TLS. */
  watch(server: Server): void {
    server.prependListener('connection', (socket: Socket) => this.#admit(socket));
    server.on('secureConnection', (secure: TLSSocket) => {
      const guarded = this.#acceptedOf(secure);
      if (guarded === null) return;
      guarded.stream = secure;
      this.#byStream.set(secure, guarded);
    });
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const guarded = this.#byStream.get(request.socket);
      if (guarded === undefined) return;
      guarded.phase = 'busy';
      response.once('close', () => {
        guarded.phase = 'idle';
        guarded.sinceMs = performance.now();
      });
    });
    server.prependListener('upgrade', (request: IncomingMessage) => {
      const guarded = this.#byStream.get(request.socket);
      if (guarded !== undefined) guarded.phase = 'upgraded';
    });
    // For example no descriptor for one more: waiting ones are accepted when there is one again.
    server.on('error', (error) =>
      this.#limiter.log('error', 'accept', { err: error }, 'a connection was not taken'),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#limiter[Symbol.dispose]();
  }

  #admit(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const from = networkOf(address);
    // Programs on this machine are its own, or belong to someone who has access already.
    const most = isLoopback(address) ? this.#limits.total : this.#limits.perAddress;
    const full = (this.#counts.get(from) ?? 0) >= most;
    if ((full || this.#connections.size >= this.#limits.total) && !this.#makeRoom(full ? from : null)) {
      this.#limiter.log('warn', 'refused', { address }, 'too many connections: one more was refused');
      socket.destroy();
      return;
    }
    const nowMs = performance.now();
    const guarded: Guarded = {
      accepted: socket,
      stream: socket,
      from,
      phase: 'silent',
      sinceMs: nowMs,
      drainedBytes: 0,
      drainedMs: nowMs,
    };
    this.#connections.set(socket, guarded);
    this.#byStream.set(socket, guarded);
    this.#counts.set(from, (this.#counts.get(from) ?? 0) + 1);
    socket.setMaxListeners(socket.getMaxListeners() + 1);
    socket.once('close', () => this.#forget(socket));
  }

  /** Ends the oldest idle connection: of this network, or of the one that has the most. */
  #makeRoom(from: string | null): boolean {
    let worst: Guarded | null = null;
    for (const one of this.#connections.values()) {
      if (one.phase === 'busy' || one.phase === 'upgraded' || (from !== null && one.from !== from)) continue;
      if (worst === null || (this.#counts.get(one.from) ?? 0) > (this.#counts.get(worst.from) ?? 0))
        worst = one;
    }
    if (worst === null) return false;
    this.#limiter.log('warn', 'room', { from: worst.from }, 'too many connections: silent ones make room');
    this.#end(worst, 'made room for another one');
    return true;
  }

  #look(): void {
    const nowMs = performance.now();
    for (const one of [...this.#connections.values()]) {
      const isWaiting = one.phase === 'silent' || one.phase === 'idle';
      if (isWaiting && nowMs - one.sinceMs > this.#limits.introductionMs) {
        this.#end(one, 'it said nothing');
        continue;
      }
      const { stream } = one;
      const drained = stream.bytesWritten - stream.writableLength;
      if (stream.writableLength === 0 || drained !== one.drainedBytes) {
        one.drainedBytes = drained;
        one.drainedMs = nowMs;
      } else if (nowMs - one.drainedMs > this.#limits.stalledMs) {
        this.#end(one, 'it took nothing');
      }
    }
  }

  #end(one: Guarded, why: string): void {
    this.#log.debug({ from: one.from, why }, 'a connection was cut');
    one.stream.destroy();
    one.accepted.destroy();
    this.#forget(one.accepted);
  }

  #forget(socket: Socket): void {
    const one = this.#connections.get(socket);
    if (one === undefined) return;
    this.#connections.delete(socket);
    const left = (this.#counts.get(one.from) ?? 1) - 1;
    if (left > 0) this.#counts.set(one.from, left);
    else this.#counts.delete(one.from);
  }

  /** TLS reads from a socket of its own, whose only public relation to the accepted one is its address. */
  #acceptedOf(secure: TLSSocket): Guarded | null {
    for (const one of this.#connections.values()) {
      const { remotePort, remoteAddress } = one.accepted;
      if (remotePort === secure.remotePort && remoteAddress === secure.remoteAddress) return one;
    }
    return null;
  }
}

/** The first half of an IPv6 address is a network; the second is free for the client to choose. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...middle, ...right].slice(0, 4).join(':');
}
