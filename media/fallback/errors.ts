import { RushlightError } from '../../common/errors.ts';

/** Codes of {@link PictureError}. */
export type PictureErrorCode = 'JPEG_INVALID' | 'MULTIPART_INVALID' | 'STREAM_UNAVAILABLE';

/** Why a picture or a stream of pictures is rejected. */
export class PictureError extends RushlightError {
  readonly code: PictureErrorCode;

  constructor(code: PictureErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
