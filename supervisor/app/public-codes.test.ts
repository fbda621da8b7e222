import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OtaError } from '../../ota/index.ts';
import { problemOf, statusOfCode } from '../api/problem-of.ts';

const root = join(import.meta.dirname, '..', '..');

/** Codes that stay inside: what has them is caught before a route sees it, or ends the start. */
const inside = new Set([
  // At the start.
  ...['PORT_TAKEN', 'ADDRESS_UNUSABLE', 'TLS_FILES_UNUSABLE', 'DATA_IN_USE', 'NOTIFY_FAILED'],
  // Our own faults, and broken machines: status 500, details in the log.
  ...['METHOD_UNKNOWN', 'INTERNAL', 'NDJSON_INVALID', 'CHILD_NAME_TAKEN', 'CHILD_NAME_INVALID'],
  ...[
    'AUTOBOOT_INVALID',
    'SELECTOR_REFUSED',
    'SELECTOR_NO_CURRENT',
    'SELECTOR_WRITE_FAILED',
    'INSTALL_FAILED',
  ],
  ...[
    'TAKE_MANIFEST_INVALID',
    'FRAME_LOG_INVALID',
    'MATROSKA_INVALID',
    'FFMPEG_FAILED',
    'FFMPEG_NO_ANSWER',
    'FFMPEG_EMPTY',
    'FILE_STRANGE',
  ],
  // In the state of what runs by itself: pipelines, pushes, telemetry, the clock, the panel.
  ...[
    'RAW_PIPE_FAILED',
    'SOURCE_SPEC_INVALID',
    'SOURCE_FILE_UNUSABLE',
    'CAPTURE_OUTPUT_INVALID',
    'UDP_BIND_FAILED',
    'HUB_NEEDS_TLS',
    'HUB_ANSWERED',
    'DTLS_FAILED',
    'INGEST_PORT_TAKEN',
  ],
  ...['BROKER_NOT_FOUND', 'BROKER_CREDENTIALS_UNREADABLE', 'BROKER_LOST', 'BROKER_HUNG_UP', 'BROKER_REFUSED'],
  ...[
    'BROKER_VERSION',
    'BROKER_NOT_ACCEPTED',
    'SETTING_FILE_UNUSABLE',
    'SERVER_FILE_UNUSABLE',
    'CHRONY_REPLY',
    'GPIO_UNAVAILABLE',
  ],
  // Answered where they arise, or on the command line.
  ...['UPSTREAM_TIMEOUT', 'CLI_FAILED', 'CLI_USAGE', 'JSON_INVALID'],
]);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['web', 'bench', 'conformance', 'node_modules'].includes(entry.name) ? [] : sources(path);
    return /\.ts$/.test(entry.name) && !/\.(?:test|fake|fixture)\.ts$/.test(entry.name) ? [path] : [];
  });
}

test('every error class of the product has a code with a status or is known to be internal', () => {
  const forgotten: string[] = [];
  let seen = 0;
  for (const file of ['supervisor', 'media', 'ota'].flatMap((folder) => sources(join(root, folder)))) {
    for (const [, code = ''] of readFileSync(file, 'utf8').matchAll(/^ {2}readonly code = '([A-Z_]+)'/gm)) {
      seen += 1;
      if (!Object.hasOwn(statusOfCode, code) && !inside.has(code)) forgotten.push(`${code} (${file})`);
    }
  }
  expect(forgotten).toEqual([]);
  expect(seen).toBeGreaterThan(20);
});

test('an unreachable channel is reported and not our fault', () => {
  const error = new OtaError('CHANNEL_UNREACHABLE', 'The channel cannot be reached.', {
    hint: 'Look at the network.',
  });
  const { problem, unexpected } = problemOf(error, '/api/update/check');
  expect(problem).toMatchObject({
    status: 502,
    code: 'CHANNEL_UNREACHABLE',
    detail: 'The channel cannot be reached.',
  });
  expect(unexpected).toBe(false);
});

test.each(['constructor', '__proto__', 'toString', 'ENOENT'])('an error with code %s is ours', (code) => {
  const { problem } = problemOf(Object.assign(new Error('secret'), { code }), '/');
  expect([problem.status, problem.code]).toEqual([500, 'INTERNAL']);
});
