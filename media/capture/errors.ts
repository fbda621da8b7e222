/** The named pipe between capture and recorder cannot be made, or something else is in its place. */
export class RawPipeError extends Error {
  readonly code = 'RAW_PIPE_FAILED';
  override readonly name = 'RawPipeError';
}

/** A source description no pipeline can be built from. */
export class SourceSpecError extends Error {
  readonly code = 'SOURCE_SPEC_INVALID';
  override readonly name = 'SourceSpecError';
}

/** Output of a camera program that is not what its documentation says. */
export class CaptureOutputError extends Error {
  readonly code = 'CAPTURE_OUTPUT_INVALID';
  override readonly name = 'CaptureOutputError';
}
