import type { WebSocket } from 'ws';

/** A living hub on a LAN answers a ping within milliseconds, a busy one in a few hundred. */
const answerWithinMs = 500;

/** Asks for a sign of life at once, instead of waiting until a link that may be cut has been silent for long. */
export class LinkProbe implements Disposable {
  readonly #socket: WebSocket;
  readonly #onDead: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(socket: WebSocket, onDead: () => void) {
    this.#socket = socket;
    this.#onDead = onDead;
  }

  ask(): void {
    this.#timer ??= setTimeout(this.#onDead, answerWithinMs);
    this.#socket.ping();
  }

  /** Something arrived: a pong, or anything else. */
  heard(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  [Symbol.dispose](): void {
    this.heard();
  }
}
