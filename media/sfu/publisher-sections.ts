/** Which packets of a publisher are picture and which are sound, if the packets say so (RFC 9143, sections 9.2 and 15). */
import { rtpExtension } from '../rtp/rtp-packet.ts';

/** How a publisher's packets name the section of its description that they belong to. */
export interface PublisherSections {
  /** Number of the header extension that carries the name (MID). */
  readonly midExtension: number;
  readonly videoMid: string;
  /** Null if no sound was agreed on. */
  readonly audioMid: string | null;
}

/** What a packet is of; `other` is a section that nobody agreed on. */
export type Section = 'video' | 'audio' | 'other';

/** Each of three layers with its repairs, and sound, of some restarts. */
const MAX_SSRCS = 32;

/** Remembers what the SSRCs of one publisher named, which they may do at their beginning only. */
export class SectionNames {
  readonly #sections: PublisherSections;
  readonly #named = new Map<number, Section>();

  constructor(sections: PublisherSections) {
    this.#sections = sections;
  }

  /** Null if neither this packet nor an earlier one of its SSRC has a name. */
  of(ssrc: number, datagram: Buffer): Section | null {
    const { midExtension, videoMid, audioMid } = this.#sections;
    const mid = rtpExtension(datagram, midExtension);
    if (mid === '') return this.#named.get(ssrc) ?? null;
    const section = mid === videoMid ? 'video' : mid === audioMid ? 'audio' : 'other';
    if (this.#named.size >= MAX_SSRCS && !this.#named.has(ssrc)) this.#named.clear();
    this.#named.set(ssrc, section);
    return section;
  }
}
