import { z } from 'zod';
import { field, filePath, passwordText, secretField, slug, urlOf } from '../../common/setting-field.ts';
import { sourceFields, sourceSettings } from '../../media/capture/kinds/index.ts';

/** One `[[source]]`. */
export const sourceSchema = z.discriminatedUnion('kind', sourceSettings);

/** Fields of every feed from elsewhere. */
const remoteFields = {
  id: field(slug(), 'Name of the feed. Unique.', ['remotes']),
  label: sourceFields.label,
  enabled: field(z.boolean().default(true), 'Whether the feed is shown.', ['remotes']),
};

/** One `[[remote]]`: a feed of another server, which the hub shows beside its own feeds, copied unchanged. */
export const remoteSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('whep').meta({ description: 'Another hub or WebRTC server, pulled by WHEP.' }),
      ...remoteFields,
      url: field(urlOf('http', 'https'), 'WHEP endpoint.', ['remotes']),
      token_file: field(filePath().optional(), 'File with the bearer token.', ['remotes']),
      tls_fingerprint: field(sha256Fingerprint().optional(), 'SHA-256 of the certificate to accept.', [
        'remotes',
      ]),
    })
    .meta({ description: 'kind = "whep"' }),
  z
    .strictObject({
      kind: z.literal('mjpeg').meta({ description: 'A camera that only offers motion JPEG over HTTP.' }),
      ...remoteFields,
      url: field(urlOf('http', 'https'), 'Address of the stream.', ['remotes']),
      username: field(z.string().min(1).max(255).optional(), 'User name, if the camera asks for one.', [
        'remotes',
      ]),
      password: secretField(passwordText().optional(), 'Password. Neither the API nor the log shows it.', [
        'remotes',
      ]),
      password_file: field(filePath().optional(), 'File with the password, instead of `password`.', [
        'remotes',
      ]),
    })
    .meta({ description: 'kind = "mjpeg"' }),
]);

/** SHA-256 of a certificate in hex, with or without colons. */
export function sha256Fingerprint() {
  return z
    .string()
    .regex(
      /^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/,
      'a SHA-256 fingerprint: 64 hex digits, colons allowed',
    );
}
