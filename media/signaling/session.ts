/** One WHIP or WHEP session's negotiation state: its entity tag, trickle ICE and ICE restarts (RFC 9725, section 4.3). */
import { randomBytes } from 'node:crypto';
import type { IceCredentials, MediaTransport } from '../datapath/datapath.ts';
import { SignalingError } from './errors.ts';
import { buildFragment, parseFragment } from './sdpfrag.ts';

/** The answer to a PATCH. */
export interface PatchResult {
  /** Null for plain trickle (204); for a restart the new tag and the fragment to answer (200). */
  readonly restart: { readonly etag: string; readonly fragment: string } | null;
}

/** See the head of this file. */
export class SignalingSession {
  readonly id = randomBytes(16).toString('hex');
  readonly #transport: MediaTransport;
  #etag = newTag();
  #remoteUfrag: string;

  constructor(transport: MediaTransport, remoteUfrag: string) {
    this.#transport = transport;
    this.#remoteUfrag = remoteUfrag;
  }

  /** With its quotes, as in the ETag header. */
  get etag(): string {
    return this.#etag;
  }

  /**
   * Takes a PATCH body. A restart is told by its new user fragment, not by `If-Match: *`, which some players send on
   * plain trickle. Throws SignalingError ETAG_REQUIRED, ETAG_STALE or FRAGMENT_INVALID.
   */
  patch(ifMatch: string | null, body: string): PatchResult {
    if (ifMatch === null || ifMatch.trim() === '') {
      throw new SignalingError('ETAG_REQUIRED', 'If-Match is needed');
    }
    const fragment = parseFragment(body);
    const restart = fragment.ice !== null && fragment.ice.ufrag !== this.#remoteUfrag;
    if (!matches(ifMatch, this.#etag)) {
      throw new SignalingError('ETAG_STALE', 'If-Match names an earlier ICE session');
    }
    if (restart && fragment.ice !== null)
      return { restart: this.#restart(fragment.ice, fragment.candidates) };
    for (const candidate of fragment.candidates) this.#transport.addRemoteCandidate(candidate);
    return { restart: null };
  }

  #restart(
    ice: IceCredentials,
    candidates: Parameters<MediaTransport['restartIce']>[0]['candidates'],
  ): NonNullable<PatchResult['restart']> {
    this.#transport.restartIce({ ...ice, candidates });
    this.#remoteUfrag = ice.ufrag;
    this.#etag = newTag();
    return { etag: this.#etag, fragment: buildFragment(this.#transport.local, this.#transport.candidates) };
  }
}

function newTag(): string {
  return `"${randomBytes(8).toString('hex')}"`;
}

/** Clients leave the quotes out, and proxies that compress make tags weak. */
function bare(tag: string): string {
  return tag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
}

function matches(ifMatch: string, etag: string): boolean {
  const wanted = bare(etag);
  return ifMatch.split(',').some((tag) => tag.trim() === '*' || bare(tag) === wanted);
}
