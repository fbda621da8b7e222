import { RushlightError } from '../../common/errors.ts';

/** A program could not be started: not found, not executable, or not enough memory. */
export class ChildSpawnError extends RushlightError {
  readonly code = 'CHILD_SPAWN_FAILED';
}

/** A child of that name is running already. */
export class ChildNameTakenError extends RushlightError {
  readonly code = 'CHILD_NAME_TAKEN';
}

/** A name that is not valid as a file name. */
export class ChildNameError extends RushlightError {
  readonly code = 'CHILD_NAME_INVALID';
}
