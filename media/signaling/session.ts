import { randomBytes } from 'node:crypto';
import type { IceCredentials, MediaTransport } from '../datapath/datapath.ts';
import { SignalingError } from './errors.ts';
import type { Offer } from './offer.ts';
import { buildFragment, type FragmentSection, parseFragment } from './sdpfrag.ts';

/** The answer to a PATCH. */
export interface PatchResult {
  /** Null for plain trickle (204); for a restart the new tag and the fragment to answer (200). */
  readonly restart: { readonly etag: string; readonly fragment: string } | null;
}

/** One WHIP or WHEP session's negotiation state: its entity tag, trickle ICE and ICE restarts (RFC 9725, section 4.3). */
export class SignalingSession {
  readonly id = randomBytes(16).toString('hex');
  readonly #transport: MediaTransport;
  readonly #section: FragmentSection;
  #etag = newTag();
  #remoteUfrag: string;

  constructor(transport: MediaTransport, offer: Pick<Offer, 'ice' | 'media' | 'transportMid'>) {
    this.#transport = transport;
    this.#remoteUfrag = offer.ice.ufrag;
    this.#section = sectionOf(offer);
  }

  /** With its quotes, as in the ETag header. */
  get etag(): string {
    return this.#etag;
  }

  /**
   * Takes a PATCH body. A restart is recognised by its new user fragment, not by `If-Match: *`, which some players send on
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
    return {
      etag: this.#etag,
      fragment: buildFragment(this.#section, this.#transport.local, this.#transport.candidates),
    };
  }
}

function sectionOf({ media, transportMid }: Pick<Offer, 'media' | 'transportMid'>): FragmentSection {
  const { kind, protocol, formats } = (media.find(({ mid }) => mid === transportMid) ?? media[0])?.line ?? {
    kind: 'video',
    protocol: 'UDP/TLS/RTP/SAVPF',
    formats: [],
  };
  return { kind, protocol, format: formats[0] ?? '0', mid: transportMid };
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
  // The star also comes in quotes, as in the example of RFC 9725, section 4.3.3. No tag of ours is one.
  return ifMatch.split(',').some((tag) => bare(tag) === '*' || bare(tag) === wanted);
}
