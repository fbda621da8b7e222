import { type ErrorDetails, RushlightError } from '../../common/errors.ts';
import type { Problem } from '../contract/index.ts';

/** Every reason for which the API itself rejects a request, or cannot start; problem-of.ts has the status of each. */
export type ApiErrorCode =
  | 'REQUEST_INVALID'
  | 'BODY_ABORTED'
  | 'BODY_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'TOKEN_MISSING'
  | 'TOKEN_UNKNOWN'
  | 'ACCESS_DENIED'
  | 'ORIGIN_REFUSED'
  | 'TLS_REQUIRED'
  | 'REQUESTS_TOO_MANY'
  | 'SIGN_INS_TOO_MANY'
  | 'ROUTE_UNKNOWN'
  | 'METHOD_NOT_ALLOWED'
  | 'FEED_UNKNOWN'
  | 'PICTURE_UNAVAILABLE'
  | 'KEY_UNKNOWN'
  | 'TAKE_NOT_FOUND'
  | 'BUNDLE_NOT_FOUND'
  | 'RANGE_UNSATISFIABLE'
  | 'PORT_TAKEN'
  | 'ADDRESS_UNUSABLE';

/** A request that the API rejects, or a start that fails. */
export class ApiError extends RushlightError {
  readonly code: ApiErrorCode;
  readonly issues: Problem['issues'];
  readonly retryAfterS: number | undefined;

  constructor(
    code: ApiErrorCode,
    message: string,
    details: ErrorDetails & { issues?: Problem['issues']; retryAfterS?: number } = {},
  ) {
    super(message, details);
    this.code = code;
    this.issues = details.issues;
    this.retryAfterS = details.retryAfterS;
  }
}
