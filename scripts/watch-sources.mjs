// What `npm run dev` watches. Plain JavaScript, see prepare.mjs.
import { watch } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const rooms = ['common', 'supervisor', 'media', 'ota'];
/** An editor writes several files, or one file in several steps. */
const quietMs = 300;

/** True for a file whose change affects the running product: not a test, not a build result. */
export function isSource(path) {
  return (
    /\.(?:tsx?|css|html|cc|h)$/.test(path) &&
    !/\.(?:test|fake|fixture)\.|(?:^|\/)(?:dist|build|node_modules)\//.test(path)
  );
}

/** Calls back once after each burst of changes to the sources of every process: supervisor, media process, pages, add-on. */
export function watchSources(onChange) {
  let timer;
  for (const room of rooms) {
    watch(join(root, room), { recursive: true }, (_, name) => {
      if (name === null || !isSource(name)) return;
      clearTimeout(timer);
      timer = setTimeout(() => onChange(join(room, name)), quietMs);
    });
  }
}
