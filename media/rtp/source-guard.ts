import { sequenceDistance } from './sequence.ts';

/** Beyond this many packets within one SSRC the source may have started again, or a packet is astray. */
const MAX_JUMP = 3000;
/** The packet after one that jumped proves that the source starts again there; some may be lost in between. */
const MAX_SUCCESSOR = 16;
/** A source that is silent for this long makes room at once, in milliseconds. */
const SILENT_MS = 1000;
/** Pictures (timestamps) that another source must have begun while the current one sent nothing. */
const RIVAL_PICTURES = 3;
const MAX_HELD = 512;

interface Identity {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
}

/** What happens to a packet. */
export interface Admission<Packet> {
  /** Packets that may pass, in order: none, the packet itself, or also those that were held back. */
  readonly packets: readonly Packet[];
  /** The first of them begins a source. */
  readonly begins: boolean;
}

/**
 * Keeps a track to one source at a time. A publisher may send several (simulcast layers), restart its encoder with another SSRC
 * or another sequence, and send a stray packet from long ago; only a source that keeps sending counts.
 * One instance per track.
 */
export class SourceGuard<Packet extends Identity> {
  #current: { readonly ssrc: number; highest: number; heardMs: number } | null = null;
  #jumped: Packet | null = null;
  #rival: { readonly held: Packet[]; pictures: number } | null = null;

  admit(packet: Packet, nowMs: number): Admission<Packet> {
    const current = this.#current;
    if (current === null || nowMs - current.heardMs > SILENT_MS)
      return this.#admitAfterSilence(packet, nowMs);
    if (packet.ssrc !== current.ssrc) return this.#admitRival(packet, nowMs);
    const ahead = sequenceDistance(current.highest, packet.sequence);
    if (Math.abs(ahead) > MAX_JUMP) return this.#admitJump(packet, nowMs);
    this.#rival = null;
    this.#jumped = null;
    if (ahead > 0) current.highest = packet.sequence;
    current.heardMs = nowMs;
    return { packets: [packet], begins: false };
  }

  #admitAfterSilence(packet: Packet, nowMs: number): Admission<Packet> {
    const current = this.#current;
    const goesOn =
      current?.ssrc === packet.ssrc &&
      Math.abs(sequenceDistance(current.highest, packet.sequence)) <= MAX_JUMP;
    if (!goesOn) return this.#begin([packet], nowMs);
    current.heardMs = nowMs;
    return this.admit(packet, nowMs);
  }

  #admitJump(packet: Packet, nowMs: number): Admission<Packet> {
    const before = this.#jumped;
    const behind = before === null ? 0 : sequenceDistance(before.sequence, packet.sequence);
    if (before !== null && behind > 0 && behind <= MAX_SUCCESSOR) return this.#begin([before, packet], nowMs);
    this.#jumped = packet;
    return { packets: [], begins: false };
  }

  #admitRival(packet: Packet, nowMs: number): Admission<Packet> {
    const rival = this.#rival;
    const last = rival?.held.at(-1);
    if (rival === null || last?.ssrc !== packet.ssrc) {
      this.#rival = { held: [packet], pictures: 1 };
      return { packets: [], begins: false };
    }
    if (packet.timestamp !== last.timestamp) rival.pictures++;
    rival.held.push(packet);
    if (rival.pictures >= RIVAL_PICTURES || rival.held.length >= MAX_HELD)
      return this.#begin(rival.held, nowMs);
    return { packets: [], begins: false };
  }

  #begin(packets: readonly Packet[], nowMs: number): Admission<Packet> {
    const last = packets.at(-1);
    if (last !== undefined) this.#current = { ssrc: last.ssrc, highest: last.sequence, heardMs: nowMs };
    this.#rival = null;
    this.#jumped = null;
    return { packets, begins: true };
  }
}
