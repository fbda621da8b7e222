import type { TlsOptions } from 'node:tls';

/** TLS 1.3 and the sound part of TLS 1.2: forward secrecy and authenticated encryption, no CBC, no SHA-1. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** The options of every TLS server of this appliance. */
export const tlsServerOptions: TlsOptions = {
  minVersion: 'TLSv1.2',
  ciphers: ciphers.join(':'),
  honorCipherOrder: true,
  handshakeTimeout: 15_000,
};
