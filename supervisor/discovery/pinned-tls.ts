import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { RushlightError } from '../../common/errors.ts';
import { plainFingerprint } from '../../common/fingerprint.ts';

/** What `node:tls` and `node:https` take to accept one certificate and no other. */
export interface PinnedTls {
  readonly ca: string;
  readonly checkServerIdentity: () => undefined;
}

/** A server showed another certificate than the pinned one. */
export class PinMismatchError extends RushlightError {
  readonly code = 'HUB_KEY_CHANGED';
}

const withinMs = 5000;

/**
 * Checks a server's certificate before anything secret is sent, and rejects any but the pinned one. `fingerprint` is SHA-256 of
 * the certificate, 64 lower-case hex digits. Rejects with HUB_KEY_CHANGED or a system error.
 */
export async function pinTls(url: URL, fingerprint: string, signal: AbortSignal): Promise<PinnedTls> {
  const certificate = await serverCertificate(url, signal);
  if (certificate.fingerprint !== fingerprint) {
    throw new PinMismatchError(`${url.host} shows another key than the hub this camera belongs to.`, {
      hint: 'If the hub was replaced on purpose, adopt the camera again.',
    });
  }
  return { ca: certificate.pem, checkServerIdentity: () => undefined };
}

/** What a server shows of itself. It proves nothing unless an authority vouches for it under this name. */
export interface ShownCertificate {
  readonly pem: string;
  /** SHA-256, 64 lower-case hex digits. */
  readonly fingerprint: string;
  readonly vouchedFor: boolean;
}

/**
 * What to pin of a server that was not announced: the fingerprint it shows, or null if an authority vouches for it. It proves
 * nothing yet: the code that the owner compares covers it.
 */
export function fingerprintToPin({ fingerprint, vouchedFor }: ShownCertificate): string | null {
  return vouchedFor ? null : fingerprint;
}

/** Reads a server's certificate. Rejects with HUB_KEY_CHANGED if it shows none, or a system error. */
export async function serverCertificate(url: URL, signal: AbortSignal): Promise<ShownCertificate> {
  const port = url.port === '' ? 443 : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Nothing is sent on this connection; only the certificate is read and compared with the pin.
  const socket: TLSSocket = connect({ host, port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]) });
    const peer = socket.getPeerX509Certificate();
    if (peer === undefined) throw new PinMismatchError(`${url.host} shows no certificate.`);
    const fingerprint = plainFingerprint(peer.fingerprint256);
    return { pem: peer.toString(), fingerprint, vouchedFor: socket.authorized };
  } finally {
    socket.destroy();
  }
}
