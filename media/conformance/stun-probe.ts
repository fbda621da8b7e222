/** ICE checks from a socket of our own (RFC 8445, section 7; RFC 8489), without an ICE agent that would hide what comes back. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  buildStun,
  hasIntegrity,
  isStun,
  parseStun,
  StunAttribute,
  StunType,
  uint32,
} from '../datapath/ice/stun.ts';
import type { RemoteCandidate } from './description.ts';
import type { IceSide } from './offers.ts';

/** How a check differs from the usual one. */
export interface CheckWishes {
  readonly role?: 'controlling' | 'controlled';
  readonly nominate?: boolean;
  readonly password?: string;
  /** Attributes besides the usual ones. */
  readonly more?: readonly (readonly [type: number, value: Buffer])[];
}

/** The answer to a check. */
export interface CheckAnswer {
  readonly kind: 'success' | 'error';
  /** Of an error; 0 of a success. */
  readonly code: number;
  /** Types that the server says it does not know. */
  readonly unknown: readonly number[];
  /** The answer is authenticated. */
  readonly authentic: boolean;
}

const ATTEMPTS = 4;
const PATIENCE_MS = 300;
/** The largest there is: a server that compares tie-breakers loses. */
const TIE_BREAKER = Buffer.alloc(8, 0xff);

/** Sends single connectivity checks. */
export class StunProbe implements AsyncDisposable {
  readonly #socket: Socket = createSocket('udp4');
  readonly #ours: IceSide;
  #waiting: { transaction: Buffer; resolve: (datagram: Buffer) => void } | null = null;

  constructor(ours: IceSide) {
    this.#ours = ours;
    this.#socket.on('message', (datagram) => {
      if (!isStun(datagram)) return;
      if (this.#waiting?.transaction.equals(datagram.subarray(8, 20))) this.#waiting.resolve(datagram);
    });
  }

  async open(): Promise<this> {
    this.#socket.bind(0);
    await once(this.#socket, 'listening');
    return this;
  }

  /** One check to each address in turn, until one answers; null if none does. */
  async check(
    theirs: IceSide,
    candidates: readonly RemoteCandidate[],
    wishes: CheckWishes = {},
  ): Promise<CheckAnswer | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      for (const candidate of candidates) {
        const answer = await this.#once(theirs, candidate, wishes);
        if (answer !== null) return answer;
      }
    }
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  async #once(
    theirs: IceSide,
    { address, port }: RemoteCandidate,
    wishes: CheckWishes,
  ): Promise<CheckAnswer | null> {
    const transaction = randomBytes(12);
    const role = wishes.role === 'controlled' ? StunAttribute.ICE_CONTROLLED : StunAttribute.ICE_CONTROLLING;
    const attributes: (readonly [number, Buffer])[] = [
      [StunAttribute.USERNAME, Buffer.from(`${theirs.ufrag}:${this.#ours.ufrag}`)],
      [StunAttribute.PRIORITY, uint32(0x6e_ff_ff_ff)],
      [role, TIE_BREAKER],
      ...(wishes.nominate === true ? [[StunAttribute.USE_CANDIDATE, Buffer.alloc(0)] as const] : []),
      ...(wishes.more ?? []),
    ];
    const datagram = buildStun(StunType.REQUEST, transaction, attributes, wishes.password ?? theirs.pwd);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#waiting = { transaction, resolve };
    this.#socket.send(datagram, port, address);
    const answer = await Promise.race([promise, sleep(PATIENCE_MS, null)]);
    this.#waiting = null;
    return answer === null ? null : read(answer, theirs.pwd);
  }
}

function read(datagram: Buffer, password: string): CheckAnswer | null {
  const message = parseStun(datagram);
  if (message === null) return null;
  const error = message.attributes.get(StunAttribute.ERROR_CODE);
  const code = error === undefined || error.length < 4 ? 0 : (error[2] ?? 0) * 100 + (error[3] ?? 0);
  const unknown = message.attributes.get(StunAttribute.UNKNOWN_ATTRIBUTES) ?? Buffer.alloc(0);
  return {
    kind: message.type === StunType.SUCCESS ? 'success' : 'error',
    code,
    unknown: Array.from({ length: Math.floor(unknown.length / 2) }, (_, i) => unknown.readUInt16BE(i * 2)),
    authentic: hasIntegrity(datagram, message, password),
  };
}
