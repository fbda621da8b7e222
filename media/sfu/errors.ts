/** A port that a capture pipeline is to send to cannot be bound. */
export class IngestPortError extends Error {
  readonly code = 'INGEST_PORT_TAKEN';
  override readonly name = 'IngestPortError';
}
