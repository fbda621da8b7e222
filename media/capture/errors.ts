import { RushlightError } from '../../common/errors.ts';

/** The named pipe between capture and recorder cannot be made, or something else is in its place. */
export class RawPipeError extends RushlightError {
  readonly code = 'RAW_PIPE_FAILED';
}

/** A source description no pipeline can be built from. */
export class SourceSpecError extends RushlightError {
  readonly code = 'SOURCE_SPEC_INVALID';
}

/** Output of a camera program that is not what its documentation says. */
export class CaptureOutputError extends RushlightError {
  readonly code = 'CAPTURE_OUTPUT_INVALID';
}
