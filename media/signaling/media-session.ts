/** A WHIP or WHEP session: its negotiation and the media behind it. */
import type { MediaTransport } from '../datapath/datapath.ts';
import type { PatchResult, SignalingSession } from './session.ts';

/** From the offer to the first word over the network. */
const FIRST_WORD_MS = 2000;
/** From the offer to the first media: a slow board makes its keys first. */
const FIRST_MEDIA_MS = 10_000;
const GONE_AFTER_MS = 5000;

export interface MediaSessionParts {
  readonly kind: 'whip' | 'whep';
  readonly feed: string;
  readonly peer: string | null;
  /** The key that let the peer in. */
  readonly keyId: string | null;
  readonly publisherKey: string | null;
  readonly answer: string;
  readonly transport: MediaTransport;
  readonly signaling: SignalingSession;
  readonly media: { tick(nowMs: number): void; close(): void };
}

export class MediaSession {
  readonly #parts: MediaSessionParts;
  readonly #openedMs = performance.now();
  #hasSent = false;

  constructor(parts: MediaSessionParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.signaling.id;
  }

  get kind(): 'whip' | 'whep' {
    return this.#parts.kind;
  }

  get feed(): string {
    return this.#parts.feed;
  }

  get keyId(): string | null {
    return this.#parts.keyId;
  }

  get publisherKey(): string | null {
    return this.#parts.publisherKey;
  }

  get answer(): string {
    return this.#parts.answer;
  }

  /** Since when there is this session, by the monotonic clock. */
  get openedMs(): number {
    return this.#openedMs;
  }

  get isConnected(): boolean {
    return this.#parts.transport.state === 'connected';
  }

  /** Whether media has ever arrived. */
  get hasSent(): boolean {
    return this.#hasSent;
  }

  /** The first media arrived. */
  noteMedia(): void {
    this.#hasSent = true;
  }

  /**
   * Whether a publisher holds the name of its feed. Who sends holds it until it was not heard for a while; who only says
   * that it will has a moment to begin, counted from when it first asked.
   */
  holdsName(askedMs: number): boolean {
    const { transport } = this.#parts;
    if (transport.state === 'closed') return false;
    const nowMs = performance.now();
    const { lastHeardMs } = transport;
    if (!this.#hasSent && nowMs - askedMs > (lastHeardMs === null ? FIRST_WORD_MS : FIRST_MEDIA_MS))
      return false;
    return lastHeardMs === null || nowMs - lastHeardMs < GONE_AFTER_MS;
  }

  get info(): {
    sessionId: string;
    kind: 'whip' | 'whep';
    feed: string;
    peer: string | null;
    etag: string;
    state: MediaTransport['state'];
  } {
    const { kind, feed, peer, signaling, transport } = this.#parts;
    return { sessionId: signaling.id, kind, feed, peer, etag: signaling.etag, state: transport.state };
  }

  /** Throws SignalingError, see SignalingSession.patch. */
  patch(ifMatch: string | null, fragment: string): PatchResult {
    return this.#parts.signaling.patch(ifMatch, fragment);
  }

  tick(nowMs: number): void {
    this.#parts.media.tick(nowMs);
  }

  close(): void {
    this.#parts.media.close();
  }
}
