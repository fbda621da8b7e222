import { RushlightError } from '../../common/errors.ts';

/** A program could not be started: not found, not executable, no memory. */
export class ChildSpawnError extends RushlightError {
  readonly code = 'CHILD_SPAWN_FAILED';
}

/** A child of that name is running already. */
export class ChildNameTakenError extends RushlightError {
  readonly code = 'CHILD_NAME_TAKEN';
}

/** A name that cannot be a file's name. */
export class ChildNameError extends RushlightError {
  readonly code = 'CHILD_NAME_INVALID';
}

/** Something else runs or holds what must not overlap. `blockedBy` names it. */
export class BusyError extends RushlightError {
  readonly code = 'BUSY';
  readonly blockedBy: readonly string[];

  constructor(what: string, blockedBy: readonly string[]) {
    super(`${what} must wait for ${blockedBy.join(', ')}`);
    this.blockedBy = blockedBy;
  }
}
