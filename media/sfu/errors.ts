import { RushlightError } from '../../common/errors.ts';

/** A port that a capture pipeline is to send to cannot be bound. */
export class IngestPortError extends RushlightError {
  readonly code = 'INGEST_PORT_TAKEN';
}
