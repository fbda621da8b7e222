import { createPrivateKey, randomBytes, sign, verify, webcrypto, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type * as X509 from '@peculiar/x509';
import { plainFingerprint } from '../../common/fingerprint.ts';
import { readSettingFile } from '../config/read-setting-file.ts';
import { ApplianceError } from './appliance-error.ts';

/** What HTTPS is served with. */
export interface TlsIdentity {
  readonly certPem: string;
  readonly keyPem: string;
  /** SHA-256 of the certificate in DER, 64 lower-case hex digits: cameras pin it and mDNS announces it. */
  readonly fingerprint: string;
}

type CertificateKeys = Parameters<typeof X509.X509CertificateGenerator.createSelfSigned>[0]['keys'];

const tenYearsMs = 10 * 365 * 24 * 3600 * 1000;

/**
 * Makes a self-signed P-256 certificate for `<name>.local`. It is valid from 2020 on, for at least ten years from the build: a
 * board without a clock must not reject itself.
 */
export async function createTlsIdentity(name: string, now: Date): Promise<TlsIdentity> {
  // Needed once in the life of an appliance, so it is not kept in memory: the second import depends on the first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}.local`,
    notBefore: new Date(Date.UTC(2020, 0, 1)),
    notAfter: new Date(Math.max(now.getTime(), Date.UTC(2026, 0, 1)) + tenYearsMs),
    keys: keys as CertificateKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: `${name}.local` },
        { type: 'dns', value: name },
      ]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
  const certPem = certificate.toString('pem');
  return { certPem, keyPem, fingerprint: fingerprintOf(certPem) };
}

/** Reads an identity. Rejects with TLS_FILES_UNUSABLE, also if certificate and key do not belong together. */
export async function readTlsIdentity(certFile: string, keyFile: string): Promise<TlsIdentity> {
  try {
    const files = await Promise.all([readSettingFile(certFile), readSettingFile(keyFile)]);
    const [certPem, keyPem] = files.map((file) => file.toString('utf8')) as [string, string];
    proveIdentity(certPem, keyPem);
    return { certPem, keyPem, fingerprint: fingerprintOf(certPem) };
  } catch (cause) {
    throw new ApplianceError('TLS_FILES_UNUSABLE', `${certFile} and ${keyFile} cannot be used for HTTPS`, {
      cause,
      hint: 'Both must be readable PEM files, and the key must belong to the certificate.',
    });
  }
}

/** Whether a certificate is signed by its own key and unchanged since. */
export function isSelfSigned({ certPem }: TlsIdentity): boolean {
  const certificate = new X509Certificate(certPem);
  return certificate.verify(certificate.publicKey);
}

/**
 * Throws unless the two can make a TLS server. Comparing the public halves is not enough: a key file contains its public half,
 * too, and a damaged private one beside it fails only when it signs.
 */
function proveIdentity(certPem: string, keyPem: string): void {
  const key = createPrivateKey(keyPem);
  const { publicKey } = new X509Certificate(certPem);
  const hash = publicKey.asymmetricKeyType?.startsWith('ed') === true ? null : 'sha256';
  const sample = randomBytes(32);
  if (!verify(hash, sample, publicKey, sign(hash, sample, key))) {
    throw new ApplianceError('TLS_FILES_UNUSABLE', 'the key does not belong to the certificate');
  }
  createSecureContext({ cert: certPem, key: keyPem });
}

/** SHA-256 of a certificate in PEM, 64 lower-case hex digits. */
export function fingerprintOf(certPem: string): string {
  return plainFingerprint(new X509Certificate(certPem).fingerprint256);
}
