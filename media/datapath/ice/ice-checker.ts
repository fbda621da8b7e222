import { randomBytes } from 'node:crypto';
import type { IceCandidate, IceCredentials } from '../datapath.ts';
import type { NetworkPath } from '../network-path.ts';
import { buildStun, hasIntegrity, parseStun, StunAttribute, StunType, uint32 } from './stun.ts';

const CHECK_INTERVAL_MS = 100;
/** Much shorter than RFC 7675's 4 to 6 s: a camera must notice a pulled cable at once. */
const CONSENT_INTERVAL_MS = 500;
const HOST_PRIORITY = 0x6effffff;
const MAX_CANDIDATES = 32;

/** What the checker needs. */
export interface IceCheckerOptions {
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  /** Null if no socket of ours can reach the candidate. */
  readonly openPath: (candidate: IceCandidate) => NetworkPath | null;
  /** An authenticated answer came by `path`; the first one selects it. */
  readonly onAnswer: (path: NetworkPath) => void;
}

/** The asking half of a controlling ICE agent: finds a working path and proves that it still works (RFC 8445, RFC 7675). */
export class IceChecker {
  readonly #options: IceCheckerOptions;
  readonly #paths: NetworkPath[] = [];
  readonly #transactions = new Map<string, NetworkPath>();
  readonly #tieBreaker = randomBytes(8);
  #selected: NetworkPath | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: IceCheckerOptions) {
    this.#options = options;
  }

  addCandidate(candidate: IceCandidate): void {
    if (this.#paths.length >= MAX_CANDIDATES) return;
    const path = this.#options.openPath(candidate);
    if (path !== null && !this.#paths.some((known) => known.sameAs(path))) this.#paths.push(path);
  }

  start(): void {
    this.#timer ??= setTimeout(this.#check, 0);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#transactions.clear();
  }

  /** Takes a STUN response; true if it answered one of our checks. */
  receive(datagram: Buffer): boolean {
    const message = parseStun(datagram);
    if (message === null || message.type !== StunType.SUCCESS) return false;
    const key = message.transaction.toString('hex');
    const path = this.#transactions.get(key);
    if (path === undefined || !hasIntegrity(datagram, message, this.#options.remote.pwd)) return false;
    this.#transactions.delete(key);
    this.#selected ??= path;
    this.#options.onAnswer(path);
    return true;
  }

  readonly #check = (): void => {
    const selected = this.#selected;
    for (const path of selected === null ? this.#paths : [selected]) this.#send(path);
    this.#timer = setTimeout(this.#check, selected === null ? CHECK_INTERVAL_MS : CONSENT_INTERVAL_MS);
  };

  #send(path: NetworkPath): void {
    const transaction = randomBytes(12);
    this.#transactions.set(transaction.toString('hex'), path);
    if (this.#transactions.size > 256) {
      const oldest = this.#transactions.keys().next().value;
      if (oldest !== undefined) this.#transactions.delete(oldest);
    }
    const { local, remote } = this.#options;
    path.send(
      buildStun(
        StunType.REQUEST,
        transaction,
        [
          [StunAttribute.USERNAME, Buffer.from(`${remote.ufrag}:${local.ufrag}`)],
          [StunAttribute.PRIORITY, uint32(HOST_PRIORITY)],
          [StunAttribute.ICE_CONTROLLING, this.#tieBreaker],
          [StunAttribute.USE_CANDIDATE, Buffer.alloc(0)],
        ],
        remote.pwd,
      ),
    );
  }
}
