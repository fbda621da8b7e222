/** Whom a token may be shown to, when a server names another address: in a redirect, or as the place of a session. */
import { HubError } from './hub-error.ts';

interface Credentials {
  readonly token?: string | undefined;
  readonly tlsFingerprint?: string | undefined;
}

/**
 * What may be used at `to`, an address that the server at `from` named. The token goes to the same server alone, or to
 * the same host by HTTPS; elsewhere without it. A pinned certificate stays pinned. Throws HubError where the way leads
 * out of encryption: whoever answers there could be anybody.
 */
export function credentialsAt<T extends Credentials>(from: URL, to: URL, credentials: T): T {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') {
    throw new HubError('HUB_REFUSED', `the server names an address that is no web address: ${to.protocol}`);
  }
  const leavesTls = from.protocol === 'https:' && to.protocol !== 'https:';
  if (
    leavesTls ||
    (credentials.tlsFingerprint !== undefined && to.protocol !== 'https:' && to.origin !== from.origin)
  ) {
    throw new HubError('HUB_REFUSED', `the server leads to ${to.origin}, which is not encrypted`);
  }
  if (to.origin === from.origin) return credentials;
  const isUpgrade = to.hostname === from.hostname && to.protocol === 'https:' && from.protocol === 'http:';
  return isUpgrade ? credentials : { ...credentials, token: undefined };
}
