import { RushlightError } from '../../common/errors.ts';

/** Errors of the control channel itself. Those of signaling pass through it with their own codes. */

/** Codes of the control channel itself. */
export type ControlCode = 'REQUEST_INVALID' | 'METHOD_UNKNOWN' | 'MEDIA_UNAVAILABLE' | 'INTERNAL';

/** An error of the control channel itself. */
export class MediaControlError extends RushlightError {
  readonly code: ControlCode;

  constructor(code: ControlCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** An error of the media process as the client receives it, with its original code. */
export class MediaRequestError extends RushlightError {
  readonly code: string;
  readonly retryAfterS: number | undefined;

  constructor(error: { code: string; message: string; retryAfterS?: number | undefined }) {
    super(error.message);
    this.code = error.code;
    this.retryAfterS = error.retryAfterS;
  }
}
