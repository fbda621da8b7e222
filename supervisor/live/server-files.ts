import { X509Certificate } from 'node:crypto';
import { RushlightError } from '../../common/errors.ts';

/** One authority with its chain; the media process gets it for each feed. */
const largestAuthority = 8 * 1024;

/** What a file for another server holds cannot be used. */
export class ServerFileError extends RushlightError {
  readonly code = 'SERVER_FILE_UNUSABLE';
}

/** Throws ServerFileError if a header could not carry it. */
export function tokenIn(text: string, file: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw new ServerFileError(`${file} holds no token: one line of letters, digits and signs without spaces.`);
}

/** Throws ServerFileError if it is not a certificate, or a whole bundle of them. */
export function authorityIn(text: string, file: string): string {
  if (text.length > largestAuthority) {
    throw new ServerFileError(`${file} is larger than 8 KB. Put the authority of this server alone into it.`);
  }
  try {
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new ServerFileError(`${file} holds no certificate in PEM form.`, { cause });
  }
}
