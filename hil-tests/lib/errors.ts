/** Why the rig could not do what it was asked: a condition that did not come true, a tool that failed, a lab that is wrong. */
export class RigError extends Error {
  readonly code: 'RIG_TIMEOUT' | 'RIG_TOOL' | 'RIG_LAB' | 'RIG_UNSUPPORTED';

  constructor(code: RigError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RigError';
    this.code = code;
  }
}
