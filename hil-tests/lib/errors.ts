import { type ErrorDetails, RushlightError } from '../../common/errors.ts';

/** Why the rig could not do what it was asked: a condition that did not come true, a tool that failed, a lab that is wrong. */
export class RigError extends RushlightError {
  readonly code: 'RIG_TIMEOUT' | 'RIG_TOOL' | 'RIG_LAB' | 'RIG_UNSUPPORTED' | 'RIG_DEVICE' | 'RIG_STOPPED';

  constructor(code: RigError['code'], message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
