import { RushlightError } from '../../common/errors.ts';

/** No socket of the shared UDP port could be opened. */
export class UdpBindError extends RushlightError {
  readonly code = 'UDP_BIND_FAILED';
}

/** A DTLS handshake that failed, or whose peer is not who its fingerprint says. */
export class DtlsError extends RushlightError {
  readonly code = 'DTLS_FAILED';
}
