import { z } from 'zod';
import { field, filePath, secretField, slug, urlOf } from '../../common/setting-field.ts';
import { sourceFields } from '../../media/capture/kinds/index.ts';
import { sha256Fingerprint } from './schema-source.ts';

/** Placeholder in a URL for the id of the feed. */
export const feedPlace = '{feed}';

/** One `[[output]]`: a feed that is sent on to another server by WHIP, unchanged. */
export const outputSchema = z.strictObject({
  id: field(slug(), 'Name of the output. Unique among outputs.', ['outputs']),
  label: sourceFields.label,
  enabled: field(z.boolean().default(true), 'Whether the feed is sent.', ['outputs']),
  feed: field(
    z.union(
      [z.literal('*'), z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)],
      '* or the id of a feed: lower-case letters, digits, - and _',
    ),
    'Id of the feed to send. `*` sends every feed; the URL then needs `{feed}`.',
    ['outputs'],
  ),
  url: field(
    urlOf('http', 'https'),
    'WHIP endpoint of the server. `{feed}` in it stands for the id of the feed.',
    ['outputs'],
  ),
  token: secretField(
    z
      .string()
      .regex(/^[\x21-\x7e]{1,4096}$/, 'a token without spaces')
      .optional(),
    'Bearer token. Neither the API nor the log shows it.',
    ['outputs'],
  ),
  token_file: field(filePath().optional(), 'File with the bearer token, instead of `token`.', ['outputs']),
  tls_fingerprint: field(
    sha256Fingerprint().optional(),
    'SHA-256 of the certificate to accept, whatever authority signed it.',
    ['outputs'],
  ),
  ca_file: field(
    filePath().optional(),
    'Certificate authority (PEM) to accept in addition to the known ones.',
    ['outputs'],
  ),
});
