import type { MediaTransport } from '../datapath/datapath.ts';
import type { LayerName } from '../sfu/layer.ts';
import { SignalingError } from './errors.ts';
import type { PatchResult, SignalingSession } from './session.ts';

/** What a session is made of. */
export interface MediaSessionParts {
  readonly kind: 'whip' | 'whep';
  readonly feed: string;
  /** What a publisher sends; null of a viewer. */
  readonly layer: LayerName | null;
  /** Accepts a viewer's choice of a layer; null for a publisher. */
  readonly select: ((wish: LayerWish) => LayerChoice) | null;
  readonly peer: string | null;
  /** The key that let the peer in. */
  readonly keyId: string | null;
  readonly publisherKey: string | null;
  readonly answer: string;
  readonly transport: MediaTransport;
  readonly signaling: SignalingSession;
  readonly media: { tick(nowMs: number): void; close(): void };
}

/** A viewer's choice among a feed's layers; the hub decides the rest. */
export interface LayerWish {
  readonly layer?: LayerName | undefined;
  readonly maxWidth?: number | undefined;
  readonly maxHeight?: number | undefined;
  readonly paused?: boolean | undefined;
}

/** What it gets. */
export interface LayerChoice {
  readonly layer: LayerName;
  readonly paused: boolean;
}

/** A WHIP or WHEP session: its negotiation and the media behind it. */
export class MediaSession {
  readonly #parts: MediaSessionParts;

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

  get layer(): LayerName | null {
    return this.#parts.layer;
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

  /** False once the peer was not heard for a while: a new publisher may then take the feed. */
  get alive(): boolean {
    const { transport } = this.#parts;
    if (transport.state === 'closed') return false;
    return transport.lastHeardMs === null || performance.now() - transport.lastHeardMs < 5000;
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

  /** Throws SignalingError SESSION_NOT_FOUND if it is not a viewer's. */
  select(wish: LayerWish): LayerChoice {
    const { select } = this.#parts;
    if (select === null) throw new SignalingError('SESSION_NOT_FOUND', 'only a viewer selects a layer');
    return select(wish);
  }

  tick(nowMs: number): void {
    this.#parts.media.tick(nowMs);
  }

  close(): void {
    this.#parts.media.close();
  }
}
