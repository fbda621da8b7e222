/** Our side of a session, and the lines with which our descriptions begin and name it. */
import { randomInt } from 'node:crypto';
import type { DtlsFingerprint, IceCandidate, IceCredentials } from '../datapath/datapath.ts';
import { candidateLines } from './ice-lines.ts';

/** Our side of a session. */
export interface LocalSide {
  readonly ice: IceCredentials;
  readonly candidates: readonly IceCandidate[];
  readonly fingerprint: DtlsFingerprint;
  /** We are the client, with full ICE, and begin DTLS if we may choose: so it is when we answer another server's offer. */
  readonly client?: true;
}

/** The first lines. Every description is a session of its own (RFC 8866, section 5.2; RFC 3264, section 5). */
export function headLines(): string[] {
  return ['v=0', `o=- ${randomInt(2 ** 47)} 1 IN IP4 0.0.0.0`, 's=-', 't=0 0'];
}

/** How to reach us, in each section. */
export function transportLines(
  { ice, fingerprint }: LocalSide,
  setup: 'active' | 'passive' | 'actpass',
): string[] {
  return [
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    `a=fingerprint:${fingerprint.algorithm} ${fingerprint.value}`,
    `a=setup:${setup}`,
    'a=rtcp-mux',
    'a=rtcp-mux-only',
  ];
}

/** Where to reach us, in the first section: it is for all of a bundle. */
export function ourCandidateLines({ candidates }: LocalSide): string[] {
  return [...candidateLines(candidates).map((line) => `a=${line}`), 'a=end-of-candidates'];
}
