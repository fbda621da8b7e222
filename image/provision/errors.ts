import { type ErrorDetails, RushlightError } from '../../common/errors.ts';

/** A request to the setup page that does not come from its own form. */
export class SetupFormError extends RushlightError {
  readonly code = 'SETUP_FORM_INVALID';
}

/** The access point has been closed. */
export class AccessPointClosedError extends RushlightError {
  readonly code = 'ACCESS_POINT_CLOSED';
}

/** A file for this appliance with a value that cannot be right. `file` is its name on partition 1. */
export class ProvisionFileError extends RushlightError {
  readonly code = 'PROVISION_FILE_INVALID';
  readonly file: string;

  constructor(file: string, message: string, details: ErrorDetails = {}) {
    super(`${file}: ${message}`, details);
    this.file = file;
  }
}
