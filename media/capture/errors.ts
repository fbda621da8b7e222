import { RushlightError } from '../../common/errors.ts';

/** The named pipe between capture and recorder cannot be made, or something else is in its place. */
export class RawPipeError extends RushlightError {
  readonly code = 'RAW_PIPE_FAILED';
}

/** A source description from which no pipeline can be built. */
export class SourceSpecError extends RushlightError {
  readonly code = 'SOURCE_SPEC_INVALID';
}

/** Output of a camera program that does not match its documentation. */
export class CaptureOutputError extends RushlightError {
  readonly code = 'CAPTURE_OUTPUT_INVALID';
}
