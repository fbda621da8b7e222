import type { z } from 'zod';
import { faultOf } from '../config/expected.ts';
import type { Problem } from '../contract/index.ts';

/**
 * The one place that turns errors into RFC 9457 problems. An error is identified by its literal `code`; a code that is not
 * listed here is our own fault: status 500, details only in the log. The types prove that every code that can reach a client
 * has its status (app/public-codes.ts).
 */
export const statusOfCode = {
  REQUEST_INVALID: 400,
  SDP_INVALID: 400,
  FRAGMENT_INVALID: 400,
  BODY_ABORTED: 400,
  CONFIG_INVALID: 400,
  TOKEN_MISSING: 401,
  TOKEN_UNKNOWN: 401,
  ACCESS_DENIED: 403,
  ORIGIN_REFUSED: 403,
  TLS_REQUIRED: 403,
  ROUTE_UNKNOWN: 404,
  FEED_UNKNOWN: 404,
  KEY_UNKNOWN: 404,
  BROKER_UNKNOWN: 404,
  CAMERA_UNKNOWN: 404,
  DEVICE_UNKNOWN: 404,
  SESSION_NOT_FOUND: 404,
  TAKE_UNKNOWN: 404,
  TAKE_NOT_FOUND: 404,
  BUNDLE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CODE_WRONG: 409,
  CAMERA_UNDECIDED: 409,
  FEED_BUSY: 409,
  DEVICE_IN_SETTINGS: 409,
  NO_PUBLISHER: 409,
  TAKE_RUNNING: 409,
  TAKE_NOT_RUNNING: 409,
  TAKE_ID_INVALID: 409,
  MASTER_ELSEWHERE: 409,
  MASTERS_REFUSED: 409,
  TAKE_UNFINISHED: 409,
  TAKE_DAMAGED: 409,
  NOTHING_TO_RECORD: 409,
  MASTERS_OFF: 409,
  NO_CAMERA_RECORDS: 409,
  WRONG_ROLE: 409,
  UPDATE_BUSY: 409,
  UPDATE_CANCELLED: 409,
  ROLLOUT_RUNNING: 409,
  CANARY_REFUSED: 409,
  NOT_CONDUCTED: 409,
  TRIAL_RUNNING: 409,
  NOTHING_TO_INSTALL: 409,
  NOTHING_TO_ROLL_BACK: 409,
  NO_CHANNEL: 409,
  BUNDLE_OLDER: 409,
  BUNDLE_NEEDS_STEP: 409,
  ETAG_STALE: 412,
  CONFIG_CHANGED: 412,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  RANGE_UNSATISFIABLE: 416,
  TRACKS_UNSUPPORTED: 422,
  CODEC_UNSUPPORTED: 422,
  CONTROL_INVALID: 422,
  JPEG_INVALID: 422,
  VERSION_INVALID: 422,
  BUNDLE_WRONG_KEY: 422,
  BUNDLE_SIGNER_EXPIRED: 422,
  BUNDLE_SIGNER_REVOKED: 422,
  BUNDLE_WRONG_BOARD: 422,
  BUNDLE_TRUNCATED: 422,
  BUNDLE_CORRUPT: 422,
  BUNDLE_FORMAT: 422,
  ETAG_REQUIRED: 428,
  SIGN_INS_TOO_MANY: 429,
  REQUESTS_TOO_MANY: 429,
  NOT_SUPPORTED_HERE: 501,
  UPDATE_UNSUPPORTED: 501,
  MEMBER_UNREACHABLE: 502,
  MULTIPART_INVALID: 502,
  CHANNEL_UNREACHABLE: 502,
  CHANNEL_INVALID: 502,
  CHANNEL_SIGNATURE: 502,
  CHANNEL_REPLAYED: 502,
  DOWNLOAD_NO_RANGE: 502,
  DOWNLOAD_STALLED: 502,
  DOWNLOAD_FAILED: 502,
  HAWKBIT_REFUSED: 502,
  HAWKBIT_PROTOCOL: 502,
  HUB_KEY_CHANGED: 502,
  MEDIA_UNAVAILABLE: 503,
  OVERLOADED: 503,
  MEDIA_PORT_CLOSED: 503,
  PICTURE_UNAVAILABLE: 503,
  STREAM_UNAVAILABLE: 503,
  BUNDLE_NOT_READY: 503,
  TAKE_NOT_REMOVED: 503,
  STATE_UNAVAILABLE: 503,
  STORE_FAILED: 503,
  CHILD_SPAWN_FAILED: 503,
  TAKES_BUSY: 503,
  DISK_UNAVAILABLE: 507,
  DISK_FULL: 507,
  DISK_FILES_USED_UP: 507,
  DISK_RESERVE_REACHED: 507,
} as const satisfies Readonly<Record<string, number>>;

const statuses: Readonly<Record<string, number>> = statusOfCode;

interface CodedError extends Error {
  readonly code: string;
  readonly hint?: string | undefined;
  readonly retryAfterS?: number | undefined;
  readonly issues?: Problem['issues'];
}

/** A problem, and what belongs in headers. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly retryAfterS: number | null;
  /** True if the error is ours and belongs in the log. */
  readonly unexpected: boolean;
}

/** Turns anything thrown into a problem. `instance`: the path of the request. */
export function problemOf(error: unknown, instance: string): ProblemAnswer {
  if (isCoded(error)) {
    const status = Object.hasOwn(statuses, error.code) ? statuses[error.code] : undefined;
    if (status !== undefined) {
      return {
        problem: {
          type: 'about:blank',
          title: titleOf(status),
          status,
          detail: error.message,
          instance,
          code: error.code,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
          ...(error.issues === undefined ? {} : { issues: error.issues }),
        },
        retryAfterS: error.retryAfterS ?? null,
        unexpected: false,
      };
    }
  }
  return {
    problem: {
      type: 'about:blank',
      title: titleOf(500),
      status: 500,
      detail: 'Something went wrong inside the appliance. The log says what.',
      instance,
      code: 'INTERNAL',
      hint: 'Try again; if it stays, send the log to the maintainers.',
    },
    retryAfterS: null,
    unexpected: true,
  };
}

/** Field-by-field findings of a rejected request. */
export function issuesOf(error: z.ZodError, where: string): { path: string; message: string }[] {
  return error.issues.map((issue) => ({
    path: [where, ...issue.path.map(String)].join('.'),
    message: faultOf(issue),
  }));
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function titleOf(status: number): string {
  return titles[status] ?? 'Error';
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Token needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Too large',
  415: 'Media type not supported',
  416: 'Range not satisfiable',
  422: 'Cannot be processed',
  428: 'Precondition required',
  429: 'Too many tries',
  500: 'Internal error',
  501: 'Not supported here',
  502: 'Not reachable',
  503: 'Not available now',
  507: 'No space left',
};
