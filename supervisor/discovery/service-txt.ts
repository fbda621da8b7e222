import { z } from 'zod';
import { roleSchema } from '../contract/index.ts';

/** DNS-SD type of every appliance (RFC 6763 section 4.1.2). */
export const serviceType = 'rushlight';
/** Full name of the service on the local network. */
export const serviceDomain = `_${serviceType}._tcp.local`;

/** The TXT record of `_rushlight._tcp`: what an appliance says about itself before anyone connects. */
export const serviceTxtSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, 'an id of 1 to 64 letters, digits and . _ : -'),
  role: roleSchema,
  ver: z.string().min(1).max(64),
  path: z
    .string()
    // After two slashes a URL has its host: an announcement is about the machine that sends it.
    .regex(/^\/(?!\/)[\w./~-]{0,200}$/, 'a path that starts with one /')
    .default('/'),
  tls: z
    .string()
    .regex(/^(?:[0-9a-f]{64})?$/, 'the SHA-256 of the certificate in 64 hex digits, or nothing')
    .default('')
    .transform((fingerprint) => (fingerprint === '' ? null : fingerprint)),
});

/** See {@link serviceTxtSchema}. */
export type ServiceTxt = z.output<typeof serviceTxtSchema>;

/** The strings of the TXT record. */
export function encodeTxt(txt: ServiceTxt): Record<keyof ServiceTxt, string> {
  return { ...txt, tls: txt.tls ?? '' };
}

/**
 * Strings of a TXT record as key and value (RFC 6763 section 6.4): keys are case-insensitive, the first of several
 * counts, a string without `=` or without a key is skipped.
 */
export function txtPairs(strings: readonly Uint8Array[]): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const bytes of strings) {
    const text = Buffer.from(bytes).toString('utf8');
    const equals = text.indexOf('=');
    if (equals < 1) continue;
    const key = text.slice(0, equals).toLowerCase();
    if (!pairs.has(key)) pairs.set(key, text.slice(equals + 1));
  }
  return Object.fromEntries(pairs);
}
