/** ICE and DTLS lines of descriptions and fragments (RFC 8839, RFC 8122). */
import { isIP } from 'node:net';
import type { DtlsFingerprint, IceCandidate, IceCredentials } from '../datapath/datapath.ts';

/** What we are, in an answer and in each fragment after it (RFC 9725, section 4.3.3: the same in both). */
export const ourIceLines: readonly string[] = ['a=ice-lite', 'a=ice-options:ice2 trickle'];

/** A UDP candidate by its address; null for candidates we cannot use (TCP, names, other components). */
export function parseCandidate(value: string): IceCandidate | null {
  const match = /^[^ ]{1,32} 1 udp \d{1,10} ([\d.]{7,15}|[\da-f:.]{2,45}) (\d{1,5}) typ [a-z]+/i.exec(value);
  const [, address, port] = match ?? [];
  if (address === undefined || port === undefined || isIP(address) === 0) return null;
  return Number(port) > 0 && Number(port) < 65536 ? { address, port: Number(port) } : null;
}

/** A candidate by the name of its host instead of its address. */
export interface NamedCandidate {
  readonly name: string;
  readonly port: number;
}

/** Names of hosts, those of mDNS included; null for everything else. */
export function parseNamedCandidate(value: string): NamedCandidate | null {
  const match = /^[^ ]{1,32} 1 udp \d{1,10} ([a-z0-9.-]{1,253}) (\d{1,5}) typ [a-z]+/i.exec(value);
  const [, name = '', port] = match ?? [];
  if (!/[a-z]/i.test(name) || Number(port) < 1 || Number(port) > 65535) return null;
  return { name, port: Number(port) };
}

/** True if user fragment and password have the form and length that RFC 8839, section 5.4 requires. */
export function areIceCredentials(credentials: IceCredentials): boolean {
  return /^[A-Za-z0-9+/]{4,256}$/.test(credentials.ufrag) && /^[A-Za-z0-9+/]{22,256}$/.test(credentials.pwd);
}

const digestBytes: Readonly<Record<string, number>> = { 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 };

/** Null for hashes that are too weak (SHA-1 and older) or unknown, and for digests that are not as long as their hash. */
export function parseFingerprint(value: string): DtlsFingerprint | null {
  const match = /^(sha-\d{3}) ((?:[0-9A-F]{2}:){31,63}[0-9A-F]{2})$/i.exec(value.trim());
  const [, algorithm, digest] = match ?? [];
  if (algorithm === undefined || digest === undefined) return null;
  if (digestBytes[algorithm.toLowerCase()] !== (digest.length + 1) / 3) return null;
  return { algorithm: algorithm.toLowerCase(), value: digest.toUpperCase() };
}

/** Below those of UDP, relays and all (RFC 6544, section 4.2): TCP is for networks that block UDP. */
const TCP_PREFERENCE = 90;
/** Passive, among the directions of TCP. */
const PASSIVE_PREFERENCE = 4 * 2 ** 13;

/** Candidate lines without `a=`; earlier ones are preferred. Loopback comes last, and is of use in the simulation. */
export function candidateLines(candidates: readonly IceCandidate[]): string[] {
  return candidates.map(({ address, port, tcp }, i) => {
    const preference = tcp === true ? PASSIVE_PREFERENCE + 2 ** 13 - 1 - i : 65535 - i;
    const priority = (tcp === true ? TCP_PREFERENCE : 126) * 2 ** 24 + preference * 2 ** 8 + 255;
    const line = `candidate:${i + 1} 1 ${tcp === true ? 'tcp' : 'udp'} ${priority} ${address} ${port} typ host`;
    return tcp === true ? `${line} tcptype passive` : line;
  });
}
