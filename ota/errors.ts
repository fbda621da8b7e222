import { type ErrorDetails, RushlightError } from '../common/errors.ts';

/** Every reason for which the update code refuses or fails. */
export type OtaErrorCode =
  | 'AUTOBOOT_INVALID'
  | 'SELECTOR_REFUSED'
  | 'SELECTOR_NO_CURRENT'
  | 'SELECTOR_WRITE_FAILED'
  | 'VERSION_INVALID'
  | 'CHANNEL_INVALID'
  | 'CHANNEL_SIGNATURE'
  | 'CHANNEL_REPLAYED'
  | 'CHANNEL_UNREACHABLE'
  | 'NO_CHANNEL'
  | 'BUNDLE_WRONG_KEY'
  | 'BUNDLE_SIGNER_EXPIRED'
  | 'BUNDLE_SIGNER_REVOKED'
  | 'BUNDLE_WRONG_BOARD'
  | 'BUNDLE_OLDER'
  | 'BUNDLE_NEEDS_STEP'
  | 'BUNDLE_TRUNCATED'
  | 'BUNDLE_CORRUPT'
  | 'BUNDLE_FORMAT'
  | 'BUNDLE_NOT_FOUND'
  | 'DOWNLOAD_NO_RANGE'
  | 'DOWNLOAD_STALLED'
  | 'DOWNLOAD_FAILED'
  | 'DISK_FULL'
  | 'TAKE_RUNNING'
  | 'TRIAL_RUNNING'
  | 'UPDATE_BUSY'
  | 'UPDATE_UNSUPPORTED'
  | 'UPDATE_CANCELLED'
  | 'ROLLOUT_RUNNING'
  | 'CANARY_REFUSED'
  | 'MEMBER_UNREACHABLE'
  | 'NOTHING_TO_INSTALL'
  | 'NOTHING_TO_ROLL_BACK'
  | 'INSTALL_FAILED'
  | 'HAWKBIT_REFUSED'
  | 'HAWKBIT_PROTOCOL'
  | 'STORE_FAILED'
  | 'PROBE_SILENT'
  | 'ARGUMENTS_INVALID';

/** An error with a code that callers may branch on; the message is for people. */
export class OtaError extends RushlightError {
  readonly code: OtaErrorCode;

  constructor(code: OtaErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
