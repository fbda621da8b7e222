import { RushlightError } from '../../common/errors.ts';

/** No broker was found on the network. */
export class BrokerNotFoundError extends RushlightError {
  readonly code = 'BROKER_NOT_FOUND';
}

/** A broker was found that the owner has not accepted. */
export class BrokerNotAcceptedError extends RushlightError {
  readonly code = 'BROKER_NOT_ACCEPTED';
}

/** A file with a password, key or certificate cannot be read. */
export class CredentialsError extends RushlightError {
  readonly code = 'BROKER_CREDENTIALS_UNREADABLE';
}

/** No connection could be made, or it was lost. */
export class BrokerLostError extends RushlightError {
  readonly code = 'BROKER_LOST';
}

/** The broker accepted the connection and closed it without a CONNACK. */
export class BrokerHungUpError extends RushlightError {
  readonly code = 'BROKER_HUNG_UP';
}

/** The broker answered with a refusal. `reasonCode` as in MQTT 5 section 3.2.2.2 or MQTT 3.1.1 table 3.1. */
export class BrokerRefusedError extends RushlightError {
  readonly code = 'BROKER_REFUSED';
  readonly reasonCode: number;

  constructor(message: string, reasonCode: number, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.reasonCode = reasonCode;
  }
}

/** The broker does not support this version of MQTT. */
export class BrokerVersionError extends RushlightError {
  readonly code = 'BROKER_VERSION';
}

/** Why a command is not carried out. */
export type CommandRefusal =
  | 'COMMAND_UNKNOWN'
  | 'COMMAND_RETAINED'
  | 'COMMAND_TOO_LARGE'
  | 'COMMAND_NOT_TEXT'
  | 'COMMAND_INVALID'
  | 'COMMAND_TOO_OFTEN'
  | 'TAKE_OF_OTHERS'
  | 'TAKE_RUNNING'
  | 'FEED_UNKNOWN'
  | 'SNAPSHOT_TIMEOUT'
  | 'SNAPSHOT_TOO_LARGE';

/** A command that is not carried out, with the reason. */
export class CommandRefusedError extends RushlightError {
  readonly code: CommandRefusal;

  constructor(code: CommandRefusal, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
