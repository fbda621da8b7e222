import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { plainFingerprint } from '../../common/fingerprint.ts';

/** A self-signed certificate as a hub has one. */
export interface FakeIdentity {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate, 64 lower-case hex digits. */
  readonly fingerprint: string;
}

/** @param more options of `openssl req` */
export function fakeIdentity(name: string, more: readonly string[] = []): FakeIdentity {
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const made = [
    'req',
    '-x509',
    ...newKey,
    '-days',
    '365',
    '-subj',
    `/CN=${name}.local`,
    ...more,
    '-keyout',
    '-',
  ];
  const pem = execFileSync('openssl', made, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const certAt = pem.indexOf('-----BEGIN CERTIFICATE');
  const [key, cert] = [pem.slice(0, certAt), pem.slice(certAt)];
  const fingerprint = plainFingerprint(new X509Certificate(cert).fingerprint256);
  return { cert, key, fingerprint };
}
