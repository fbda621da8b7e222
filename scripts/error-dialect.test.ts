import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const rooms = ['common', 'supervisor', 'media', 'ota', 'image', 'hil-tests'];

/**
 * Files that may throw a plain `Error`: only for a mistake in the program, which no user can cause and no caller branches on.
 * Everything else is a class with a `code`.
 */
const mayThrowPlainErrors = new Set([
  'image/bench/measure.ts', // a developer's tool
  'media/datapath/network-path.ts', // makes an Error of whatever a socket threw
  'media/datapath/node/udp-socket.ts', // the same
  'media/masters/recorder/recorder.ts', // a segment without its record
  'media/masters/segment/segment-finish.ts', // the same
  'media/signaling/name-lookup.ts', // an error of the resolver's form, for node:http
  'supervisor/config/live-config.ts', // read before it was loaded
  'supervisor/process/spawn-program.ts', // becomes the cause of a ChildSpawnError
  'supervisor/web/src/main.tsx', // index.html without its element
]);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['dist', 'build', 'node_modules', 'testing', 'cache', 'out'].includes(entry.name)
        ? []
        : sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.(?:test|fake|fixture|d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

const files = rooms
  .flatMap((room) => sources(join(root, room)))
  .map((path) => ({ name: relative(root, path), text: readFileSync(path, 'utf8') }));

test('every error class extends the base class, with a literal code and a cause', () => {
  const classes = files.flatMap(({ name, text }) =>
    [...text.matchAll(/class (\w+) extends (\w*Error)\b/g)].map(([, own = '', base = '']) => ({
      name,
      own,
      base,
    })),
  );
  expect(classes.length).toBeGreaterThan(40);
  const ours = new Set(['RushlightError', ...classes.map(({ own }) => own)]);
  const foreign = classes.filter(({ own, base }) => own !== 'RushlightError' && !ours.has(base));
  expect(foreign).toEqual([]);
});

test('no error that a user may meet is a plain Error', () => {
  const plain = files.filter(({ text }) => /\bnew Error\(/.test(text)).map(({ name }) => name);
  expect(plain.sort()).toEqual([...mayThrowPlainErrors].sort());
});
