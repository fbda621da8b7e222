import { randomBytes } from 'node:crypto';
import type { IceCredentials } from '../datapath.ts';

/** Fresh credentials: 48 and 144 random bits (RFC 8445, section 5.3 asks for 24 and 128). */
export function createIceCredentials(): IceCredentials {
  return { ufrag: randomBytes(6).toString('hex'), pwd: randomBytes(18).toString('hex') };
}
