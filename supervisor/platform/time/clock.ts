import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { localReference, parseTracking, type Tracking, trackingRequest } from './chrony-protocol.ts';

/** What is known about the system clock. */
export interface ClockReading {
  /** Whether it follows a time server. A clock that follows only itself does not. */
  readonly synced: boolean;
  /** How far this clock is ahead of the time it follows, in milliseconds; null while it follows none. */
  readonly offsetMs: number | null;
  /** Bound of the error of {@link offsetMs}: half the way to the root of time and back, plus the error on it. */
  readonly uncertaintyMs: number | null;
  /** Address of the server; null if it follows none. */
  readonly source: string | null;
}

/** The system clock as its time service sees it. */
export interface Clock {
  /** Null if no time service answers. Never rejects, and forks nothing. */
  read(): Promise<ClockReading | null>;
}

/** Where chronyd answers. */
export interface ChronyClockOptions {
  /** chronyd's monitoring port (`cmdport`); default 323. */
  readonly port?: number;
  /** Default 500. */
  readonly timeoutMs?: number;
}

/** chronyd of this machine, asked over loopback: one datagram each way. */
export class ChronyClock implements Clock {
  readonly #port: number;
  readonly #timeoutMs: number;
  #sequence = 0;

  constructor({ port = 323, timeoutMs = 500 }: ChronyClockOptions = {}) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  async read(): Promise<ClockReading | null> {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const socket = createSocket('udp4');
    try {
      // Connected, so that a port without a listener is reported at once.
      socket.connect(this.#port, '127.0.0.1');
      await once(socket, 'connect');
      socket.send(trackingRequest(this.#sequence));
      const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(this.#timeoutMs) });
      return clockReading(parseTracking(reply as Buffer, this.#sequence));
    } catch {
      // No listener, no answer, or not chronyd: nothing is known then, which is all a caller needs.
      return null;
    } finally {
      socket.close();
    }
  }
}

/** What a tracking report says about the clock. Pure. */
export function clockReading(tracking: Tracking): ClockReading {
  const follows = tracking.leap !== 3 && tracking.stratum > 0 && tracking.referenceId !== localReference;
  if (!follows) return { synced: false, offsetMs: null, uncertaintyMs: null, source: null };
  return {
    synced: true,
    offsetMs: milliseconds(-tracking.correctionS),
    uncertaintyMs: milliseconds(tracking.rootDelayS / 2 + tracking.rootDispersionS),
    source: tracking.source,
  };
}

function milliseconds(seconds: number): number {
  // The sum turns -0 into 0.
  return Math.round(seconds * 1e6) / 1000 + 0;
}
