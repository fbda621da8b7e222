/** Answers connectivity checks: the whole of ICE-lite, and the answering half of a full agent (RFC 8445, section 7.3). */
import type { IceCredentials } from '../datapath.ts';
import type { NetworkPath } from '../network-path.ts';
import {
  buildStun,
  errorCodeValue,
  hasIntegrity,
  parseStun,
  StunAttribute,
  StunType,
  xorMappedAddress,
} from './stun.ts';

/** A check that proves a path. */
export interface AnsweredCheck {
  /** The credentials that the check used. */
  readonly credentials: IceCredentials;
  /** The peer wants this path (USE-CANDIDATE). */
  readonly nominated: boolean;
}

/**
 * Answers one check. Null if it proves no path: without an answer if it is no binding request or not authenticated with one of
 * the `accepted` credentials and the peer's current user fragment; with an error if the peer has taken our role (487, RFC 8445
 * section 7.3.1.1; we never change ours) or uses an attribute we do not know (420).
 */
export function answerCheck(
  datagram: Buffer,
  path: NetworkPath,
  accepted: readonly (IceCredentials & { readonly remoteUfrag: string })[],
  role: 'controlling' | 'controlled',
): AnsweredCheck | null {
  const message = parseStun(datagram);
  if (message === null || message.type !== StunType.REQUEST) return null;
  const name = message.attributes.get(StunAttribute.USERNAME)?.toString('utf8') ?? '';
  const credentials = accepted.find((candidate) => name === `${candidate.ufrag}:${candidate.remoteUfrag}`);
  if (credentials === undefined || !hasIntegrity(datagram, message, credentials.pwd)) return null;
  const refuse = (code: number, reason: string, ...more: [number, Buffer][]): null => {
    const attributes = [[StunAttribute.ERROR_CODE, errorCodeValue(code, reason)] as const, ...more];
    path.send(buildStun(StunType.ERROR, message.transaction, attributes, credentials.pwd));
    return null;
  };
  if (message.unknownRequired.length > 0) {
    const types = Buffer.alloc(message.unknownRequired.length * 2);
    message.unknownRequired.forEach((type, i) => {
      types.writeUInt16BE(type, i * 2);
    });
    return refuse(420, 'Unknown Attribute', [StunAttribute.UNKNOWN_ATTRIBUTES, types]);
  }
  const ours = role === 'controlling' ? StunAttribute.ICE_CONTROLLING : StunAttribute.ICE_CONTROLLED;
  if (message.attributes.has(ours)) return refuse(487, 'Role Conflict');
  const mapped = xorMappedAddress(path.address, path.port, message.transaction);
  path.send(
    buildStun(
      StunType.SUCCESS,
      message.transaction,
      [[StunAttribute.XOR_MAPPED_ADDRESS, mapped]],
      credentials.pwd,
    ),
  );
  return { credentials, nominated: message.attributes.has(StunAttribute.USE_CANDIDATE) };
}
