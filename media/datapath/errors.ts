/** No socket of the shared UDP port could be opened. */
export class UdpBindError extends Error {
  readonly code = 'UDP_BIND_FAILED';
  override readonly name = 'UdpBindError';
}

/** A DTLS handshake that failed, or whose peer is not who its fingerprint says. */
export class DtlsError extends Error {
  readonly code = 'DTLS_FAILED';
  override readonly name = 'DtlsError';
}
