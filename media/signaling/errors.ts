import { type ErrorDetails, RushlightError } from '../../common/errors.ts';

/** What can be wrong with a WHIP or WHEP request. The codes are literal and survive the control channel. */

/** Every code; see {@link SignalingError} for their statuses. */
const signalingCodes = [
  'SDP_INVALID',
  'TRACKS_UNSUPPORTED',
  'CODEC_UNSUPPORTED',
  'FEED_BUSY',
  'OVERLOADED',
  'MEDIA_PORT_CLOSED',
  'NO_PUBLISHER',
  'SESSION_NOT_FOUND',
  'ETAG_REQUIRED',
  'ETAG_STALE',
  'FRAGMENT_INVALID',
] as const;

/** See {@link signalingCodes}. */
export type SignalingCode = (typeof signalingCodes)[number];

/**
 * HTTP statuses that fit: SDP_INVALID and FRAGMENT_INVALID 400, SESSION_NOT_FOUND 404, FEED_BUSY and NO_PUBLISHER 409
 * (with Retry-After), ETAG_STALE 412, TRACKS_UNSUPPORTED and CODEC_UNSUPPORTED 422, ETAG_REQUIRED 428, OVERLOADED and
 * MEDIA_PORT_CLOSED 503 (with Retry-After).
 */
export class SignalingError extends RushlightError {
  readonly code: SignalingCode;
  /** Seconds after which another try makes sense; undefined if it does not. */
  readonly retryAfterS: number | undefined;

  constructor(code: SignalingCode, message: string, options: ErrorDetails & { retryAfterS?: number } = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterS = options.retryAfterS;
  }
}
