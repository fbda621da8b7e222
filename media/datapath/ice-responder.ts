/** Answers connectivity checks: the whole of ICE-lite, and the answering half of a full agent (RFC 8445, section 7.3). */
import type { IceCredentials } from './datapath.ts';
import type { NetworkPath } from './network-path.ts';
import { buildStun, hasIntegrity, parseStun, StunAttribute, StunType, xorMappedAddress } from './stun.ts';

export interface AnsweredCheck {
  /** The credentials that the check used. */
  readonly credentials: IceCredentials;
  /** The peer wants this path (USE-CANDIDATE). */
  readonly nominated: boolean;
}

/**
 * Answers one check. Null, and no answer, where it is no binding request or not authenticated with one of the
 * `accepted` credentials and the peer's current user fragment.
 */
export function answerCheck(
  datagram: Buffer,
  path: NetworkPath,
  accepted: readonly (IceCredentials & { readonly remoteUfrag: string })[],
): AnsweredCheck | null {
  const message = parseStun(datagram);
  if (message === null || message.type !== StunType.REQUEST) return null;
  const name = message.attributes.get(StunAttribute.USERNAME)?.toString('utf8') ?? '';
  const credentials = accepted.find((candidate) => name === `${candidate.ufrag}:${candidate.remoteUfrag}`);
  if (credentials === undefined || !hasIntegrity(datagram, message, credentials.pwd)) return null;
  const mapped = xorMappedAddress(path.address, path.port);
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
