import { type DestinationStream, type Logger, pino } from 'pino';

/** Levels from the most to the least important. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Fields that are never written, in the first three levels of an object. */
const secretFields = [
  'password',
  'token',
  'secret',
  'privateKey',
  'authorization',
  'cookie',
  'accessToken',
  'bearer',
  'psk',
];

/** Where and what is logged. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** Default: standard output, one JSON object a line. */
  readonly destination?: DestinationStream;
}

/**
 * The logger whose children everything else gets. Levels are words, times ISO 8601, errors have code, hint and cause, secrets
 * are replaced.
 */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[secret]',
      },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** A thrown value as the log shows it; only the outermost has its stack. */
export function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return { ...describe(error), stack: error.stack };
}

function describe(error: Error): Record<string, unknown> {
  const { cause } = error;
  return {
    type: error.name,
    message: error.message,
    ...('code' in error && { code: error.code }),
    ...('hint' in error && error.hint !== undefined && { hint: error.hint }),
    ...(cause !== undefined && { cause: cause instanceof Error ? describe(cause) : String(cause) }),
  };
}
