/** Trickle ICE fragments (RFC 8840, section 9; RFC 9725, section 4.3). */
import type { IceCandidate, IceCredentials } from '../datapath/datapath.ts';
import { SignalingError } from './errors.ts';
import { areIceCredentials, candidateLines, ourIceLines, parseCandidate } from './ice-lines.ts';

const MAX_CHARACTERS = 32 * 1024;

/** A fragment. */
export interface SdpFragment {
  /** Null if the fragment names no credentials. */
  readonly ice: IceCredentials | null;
  readonly candidates: readonly IceCandidate[];
  readonly endOfCandidates: boolean;
}

/** Reads a fragment. Throws SignalingError FRAGMENT_INVALID. */
export function parseFragment(text: string): SdpFragment {
  if (text.length > MAX_CHARACTERS) throw invalidFragment('the fragment is too long');
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '');
  if (lines.length === 0) throw invalidFragment('the fragment is empty');
  let ufrag: string | null = null;
  let pwd: string | null = null;
  let endOfCandidates = false;
  const candidates: IceCandidate[] = [];
  for (const line of lines) {
    if (!/^[a-z]=/.test(line)) throw invalidFragment(`not a line of a fragment: ${line.slice(0, 40)}`);
    if (line.startsWith('a=ice-ufrag:')) ufrag ??= line.slice(12);
    else if (line.startsWith('a=ice-pwd:')) pwd ??= line.slice(10);
    else if (line === 'a=end-of-candidates') endOfCandidates = true;
    else if (line.startsWith('a=candidate:')) {
      const candidate = parseCandidate(line.slice(12));
      if (candidate !== null) candidates.push(candidate);
    }
  }
  return { ice: credentialsOf(ufrag, pwd), candidates, endOfCandidates };
}

/** The section that a fragment is about: the one whose transport the bundle uses. */
export interface FragmentSection {
  readonly kind: string;
  readonly protocol: string;
  readonly format: string;
  readonly mid: string | null;
}

/** The answer to an ICE restart. */
export function buildFragment(
  section: FragmentSection,
  ice: IceCredentials,
  candidates: readonly IceCandidate[],
): string {
  const { kind, protocol, format, mid } = section;
  const lines = [
    ...ourIceLines,
    `m=${kind} 9 ${protocol} ${format}`,
    ...(mid === null ? [] : [`a=mid:${mid}`]),
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    ...candidateLines(candidates).map((line) => `a=${line}`),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function credentialsOf(ufrag: string | null, pwd: string | null): IceCredentials | null {
  if (ufrag === null && pwd === null) return null;
  const ice = { ufrag: ufrag ?? '', pwd: pwd ?? '' };
  if (!areIceCredentials(ice)) throw invalidFragment('ICE credentials are incomplete or malformed');
  return ice;
}

function invalidFragment(message: string): SignalingError {
  return new SignalingError('FRAGMENT_INVALID', message);
}
