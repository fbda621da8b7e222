import { RushlightError } from '../../common/errors.ts';

/** A file left for this appliance that says something it cannot mean. `file` is its name on partition 1. */
export class ProvisionFileError extends RushlightError {
  readonly code = 'PROVISION_FILE_INVALID';
  readonly file: string;

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options);
    this.file = file;
  }
}
