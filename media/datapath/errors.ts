import { isIPv6 } from 'node:net';
import { RushlightError } from '../../common/errors.ts';

/** No socket of the shared UDP port could be opened. */
export class UdpBindError extends RushlightError {
  readonly code = 'UDP_BIND_FAILED';
}

/** Why the shared UDP port cannot be opened, and what to do. Pure. */
export function udpBindError(
  port: number,
  addresses: readonly string[],
  codes: readonly string[],
): UdpBindError {
  const outcome = 'so no video can come or go';
  if (codes.includes('EADDRINUSE')) {
    return new UdpBindError(
      `UDP port ${port} is used by another program, ${outcome}. End that program, or set media.udp_port to another port.`,
    );
  }
  const where = addresses.join(', ');
  if (codes.every((code) => code === 'EADDRNOTAVAIL')) {
    return new UdpBindError(
      `This machine does not have the network address ${where}, ${outcome}. Correct media.addresses, or connect that network.`,
    );
  }
  if (addresses.every(isIPv6) && codes.every((code) => code === 'EINVAL')) {
    return new UdpBindError(
      `WebRTC cannot use link-local IPv6 addresses (${where}), ${outcome}. Correct media.addresses.`,
    );
  }
  return new UdpBindError(
    `UDP port ${port} cannot be opened (${codes.join(', ')}), ${outcome}. Set media.udp_port to another port.`,
  );
}

/** A DTLS handshake that failed, or whose peer is not who its fingerprint says. */
export class DtlsError extends RushlightError {
  readonly code = 'DTLS_FAILED';
}
