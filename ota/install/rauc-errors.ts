import { OtaError, type OtaErrorCode } from '../errors.ts';

interface Known {
  readonly pattern: RegExp;
  readonly code: OtaErrorCode;
  readonly message: string;
}

/**
 * RAUC's messages (1.8 and 1.13; it has no codes), and what they mean. The order counts: one failure often causes further
 * lines, and the first match here is nearest to its cause.
 */
const known: readonly Known[] = [
  {
    pattern: /exited with code 10\b/,
    code: 'BUNDLE_OLDER',
    message: 'the bundle is older than the installed version',
  },
  {
    pattern: /exited with code 11\b/,
    code: 'BUNDLE_NEEDS_STEP',
    message: 'the bundle needs a version in between to be installed first',
  },
  {
    pattern: /exited with code 13\b/,
    code: 'BUNDLE_FORMAT',
    message: 'the bundle does not say which release it is',
  },
  {
    pattern: /certificate revoked/i,
    code: 'BUNDLE_SIGNER_REVOKED',
    message: "the bundle's signer was revoked",
  },
  {
    pattern: /certificate has expired|certificate is not yet valid/i,
    code: 'BUNDLE_SIGNER_EXPIRED',
    message: "the bundle was signed outside its signer's term",
  },
  {
    pattern:
      /certificate signature failure|digest (?:failure|.*mismatch)|verification failure|asn1 encoding routines/i,
    code: 'BUNDLE_CORRUPT',
    message: "the bundle's signature is damaged",
  },
  {
    pattern:
      /unable to get (?:local )?issuer|self.signed certificate|unsuitable certificate purpose|unable to get certificate CRL/i,
    code: 'BUNDLE_WRONG_KEY',
    message: 'the bundle is not signed by a key this machine trusts',
  },
  {
    pattern: /compatible mismatch|Expected '.*' but bundle manifest has/i,
    code: 'BUNDLE_WRONG_BOARD',
    message: 'the bundle is for another kind of machine',
  },
  {
    pattern: /range requests not supported|did not send bundle size/i,
    code: 'DOWNLOAD_NO_RANGE',
    message: 'the server does not serve parts of files (HTTP Range)',
  },
  {
    pattern: /not found \(404|error 404|server error.*404|HTTP 404/i,
    code: 'BUNDLE_NOT_FOUND',
    message: 'the server has no such bundle',
  },
  {
    pattern:
      /server not responding|failed to configure streaming|failed to stream bundle|timed? ?out|could not resolve|connection refused/i,
    code: 'DOWNLOAD_FAILED',
    message: 'the bundle could not be downloaded',
  },
  {
    pattern: /no space left|ENOSPC|does not fit to slot|slot .* is too small for image/i,
    code: 'DISK_FULL',
    message: 'there is no room for the bundle',
  },
  {
    pattern: /exceeds bundle size|too small|signature size|unexpected end|payload size .* not a multiple/i,
    code: 'BUNDLE_TRUNCATED',
    message: 'the bundle is not complete',
  },
  {
    pattern:
      /payload is corrupted|data area failed|input\/output error|squashfs error|checksum|unexpected EOF/i,
    code: 'BUNDLE_CORRUPT',
    message: 'the bundle is damaged',
  },
  {
    pattern: /format '.*' not (?:allowed|supported)/i,
    code: 'BUNDLE_FORMAT',
    message: 'bundles of this format are not taken',
  },
  {
    pattern: /invalid bundle format|failed to load manifest|invalid identifier/i,
    code: 'BUNDLE_FORMAT',
    message: 'this is not a bundle',
  },
  {
    pattern: /failed to open \/dev\/|device mapper/i,
    code: 'INSTALL_FAILED',
    message: "this system's kernel cannot mount bundles",
  },
  {
    pattern: /handler script\/binary .* not found/i,
    code: 'INSTALL_FAILED',
    message: 'a program that updates need is missing from this system',
  },
  { pattern: /no such file/i, code: 'BUNDLE_NOT_FOUND', message: 'there is no such bundle' },
  {
    pattern: /already processing a different method/i,
    code: 'UPDATE_BUSY',
    message: 'an installation is already running',
  },
];

/** RAUC prints this on every machine whose slots it has not written yet, and continues: it is no cause of anything. */
const harmless = /failed to load (?:system|slot) status/i;

/** A clear error for the output of a failed `rauc`; `INSTALL_FAILED` with its last lines if they are unknown. */
export function raucError(lines: readonly string[]): OtaError {
  // Only lines that read like a failure: progress lines mention the same things.
  const text = lines.filter((line) => !/^\s*\d{1,3}% /.test(line) && !harmless.test(line)).join('\n');
  const cause = new OtaError('INSTALL_FAILED', lines.slice(-8).join('\n'));
  for (const { pattern, code, message } of known) {
    if (pattern.test(text)) return new OtaError(code, message, { cause });
  }
  const last = [...lines].reverse().find((line) => line.trim() !== '') ?? 'rauc said nothing';
  return new OtaError('INSTALL_FAILED', `the installation failed: ${last.trim().slice(0, 300)}`, { cause });
}
