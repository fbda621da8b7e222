/** Why the suite, or one of its checks, cannot continue, in words for the person who started it. */
import { RushlightError } from '../../common/errors.ts';

/** The suite cannot run. */
export class ConformanceError extends RushlightError {
  readonly code = 'CONFORMANCE_FAILED';
}

/** The server answers an offer, and names no session for it. */
export class NoSessionError extends RushlightError {
  readonly code = 'CONFORMANCE_NO_SESSION';
}
