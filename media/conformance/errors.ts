/** Why the suite, or one of its looks, cannot go on, in words for the person who started it. */
import { RushlightError } from '../../common/errors.ts';

export class ConformanceError extends RushlightError {
  readonly code = 'CONFORMANCE_FAILED';
}
