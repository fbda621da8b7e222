import { type ErrorDetails, RushlightError } from '../../common/errors.ts';

/** Why the appliance rejects a request, or cannot start. */
export type ApplianceErrorCode =
  | 'NOTHING_TO_RECORD'
  | 'TAKE_RUNNING'
  | 'TAKE_NOT_RUNNING'
  | 'TAKE_UNKNOWN'
  | 'TAKE_UNFINISHED'
  | 'TAKES_BUSY'
  | 'NO_CAMERA_RECORDS'
  | 'DISK_RESERVE_REACHED'
  | 'DISK_FILES_USED_UP'
  | 'DISK_UNAVAILABLE'
  | 'MASTERS_OFF'
  | 'MASTER_ELSEWHERE'
  | 'MEDIA_UNAVAILABLE'
  | 'NOT_SUPPORTED_HERE'
  | 'FEED_UNKNOWN'
  | 'FEED_BUSY'
  | 'CODEC_UNSUPPORTED'
  | 'PICTURE_UNAVAILABLE'
  | 'DEVICE_UNKNOWN'
  | 'DEVICE_IN_SETTINGS'
  | 'DATA_IN_USE'
  | 'HTTP_ENDED'
  | 'PROGRAM_FAILED'
  | 'TLS_FILES_UNUSABLE'
  | 'TOKEN_UNKNOWN'
  | 'WRONG_ROLE'
  | 'CAMERA_UNKNOWN'
  | 'BROKER_UNKNOWN'
  | 'MEMBER_UNREACHABLE'
  | 'NOT_CONDUCTED'
  | 'NOTHING_TO_INSTALL'
  | 'BUNDLE_NOT_READY';

/** A request that the appliance rejects, or a start that fails. `code` says why; the message is for people. */
export class ApplianceError extends RushlightError {
  readonly code: ApplianceErrorCode;

  constructor(code: ApplianceErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
