/** Why a benchmark cannot run, in words for the person who started it. */
import { RushlightError } from '../../common/errors.ts';

/** The benchmark cannot run. */
export class BenchError extends RushlightError {
  readonly code = 'BENCH_FAILED';
}
