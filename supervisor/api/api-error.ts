import { type ErrorDetails, RushlightError } from '../errors.ts';
import type { Problem } from './contract.ts';

/** Every way a request can be refused by the API itself; problem-of.ts says which status each has. */
export type ApiErrorCode =
  | 'REQUEST_INVALID'
  | 'BODY_ABORTED'
  | 'BODY_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'TOKEN_MISSING'
  | 'TOKEN_UNKNOWN'
  | 'ACCESS_DENIED'
  | 'ORIGIN_REFUSED'
  | 'ROUTE_UNKNOWN'
  | 'METHOD_NOT_ALLOWED'
  | 'FEED_UNKNOWN'
  | 'KEY_UNKNOWN'
  | 'RANGE_UNSATISFIABLE'
  | 'PORT_TAKEN'
  | 'ADDRESS_UNUSABLE'
  | 'TLS_FILES_UNUSABLE';

export class ApiError extends RushlightError {
  readonly code: ApiErrorCode;
  readonly issues: Problem['issues'];

  constructor(
    code: ApiErrorCode,
    message: string,
    details: ErrorDetails & { issues?: Problem['issues'] } = {},
  ) {
    super(message, details);
    this.code = code;
    this.issues = details.issues;
  }
}
