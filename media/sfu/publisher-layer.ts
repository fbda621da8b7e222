/** Which packets of a publisher that sends several layers at once are those of one of them (RFC 8852). */
import { type RtpPacket, rtpExtension } from '../rtp/rtp-packet.ts';

/** A layer that a publisher sends. */
export interface PublisherLayer {
  readonly rid: string;
  /** Numbers of the header extensions that name the layer; null if the publisher has none. */
  readonly ridExtension: number | null;
  readonly repairedRidExtension: number | null;
}

/** Three layers, each with its repairs, of some restarts. */
const MAX_SSRCS = 32;
/** A publisher that offered several layers and names none after so many packets sends one. */
const UNNAMED_PACKETS = 32;

/** Picks the packets of one layer. */
export class LayerFilter {
  readonly #layer: PublisherLayer;
  readonly #takesUnnamed: boolean;
  /** What the SSRCs named, which they may do at their beginning only. */
  readonly #rids = new Map<number, string>();
  #rid: string;
  #unnamed = 0;

  constructor(layer: PublisherLayer, takesUnnamed: boolean) {
    this.#layer = layer;
    this.#takesUnnamed = takesUnnamed;
    this.#rid = layer.rid;
  }

  rename(rid: string): void {
    this.#rid = rid;
  }

  admits(packet: RtpPacket, datagram: Buffer, isRepair: boolean): boolean {
    return this.#ridOf(packet.ssrc, datagram, isRepair) === this.#rid;
  }

  #ridOf(ssrc: number, datagram: Buffer, isRepair: boolean): string | null {
    const known = this.#rids.get(ssrc);
    if (known !== undefined) return known;
    const { ridExtension, repairedRidExtension } = this.#layer;
    const id = isRepair ? repairedRidExtension : ridExtension;
    const rid = id === null ? '' : rtpExtension(datagram, id);
    if (rid === '') {
      const single = this.#rids.size === 0 && ++this.#unnamed > UNNAMED_PACKETS;
      return single && this.#takesUnnamed ? this.#rid : null;
    }
    if (this.#rids.size >= MAX_SSRCS) this.#rids.clear();
    this.#rids.set(ssrc, rid);
    return rid;
  }
}
