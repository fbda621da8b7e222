import { RushlightError } from '../../../common/errors.ts';
import type { Problem } from '../../contract/index.ts';

/** No camera with this id is plugged in. */
export class DeviceUnknownError extends RushlightError {
  readonly code = 'DEVICE_UNKNOWN';
  constructor(id: string) {
    super(`no camera "${id}" is plugged in`, { hint: 'GET /api/devices lists what is there.' });
  }
}

/** A value that a control does not accept, with each finding by the control's name. */
export class ControlInvalidError extends RushlightError {
  readonly code = 'CONTROL_INVALID';
  readonly issues: NonNullable<Problem['issues']>;

  constructor(issues: NonNullable<Problem['issues']>) {
    super(issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
    this.issues = issues;
  }
}

/** This camera's settings cannot be changed while it runs. */
export class ControlsUnsupportedError extends RushlightError {
  readonly code = 'NOT_SUPPORTED_HERE';
  constructor(name: string) {
    super(`${name} takes its settings when it starts`, {
      hint: 'Set exposure, focus and white balance in its [[source]].',
    });
  }
}
