/** The media process's command line: `node media/main.ts --socket <path> [--log-level <level>] [--orphan-timeout-ms <n>]`. */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { runMediaProcess } from './control/media-process.ts';

const { values } = parseArgs({
  options: {
    socket: { type: 'string' },
    'log-level': { type: 'string', default: 'info' },
    'orphan-timeout-ms': { type: 'string', default: '60000' },
  },
});
const orphanTimeoutMs = Number(values['orphan-timeout-ms']);
if (values.socket === undefined || !Number.isFinite(orphanTimeoutMs)) {
  process.stderr.write(
    'usage: node media/main.ts --socket <path> [--log-level <level>] [--orphan-timeout-ms <n>]\n',
  );
  process.exit(2);
}

const logger = pino({ name: 'media', level: values['log-level'] });
const abort = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => abort.abort());
// A library's stray rejection must not end every viewer's session; it is still a fault to notice and fix.
process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));

try {
  await runMediaProcess({ socketPath: values.socket, logger, orphanTimeoutMs }, abort.signal);
  process.exit(0);
} catch (error) {
  logger.fatal({ err: error }, 'media process failed');
  process.exit(1);
}
