import { type ErrorDetails, RushlightError } from '../../common/errors.ts';
import type { Problem } from '../contract/index.ts';

/** Every way a request can be refused by the API itself, or the API cannot begin; problem-of.ts says which status each has. */
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
