// `npm run docs`: builds the manual as a site into supervisor/web/dist/docs, which the appliance serves at /docs/.
//   --serve [PORT]   serves it on this machine (default 8090), and builds it again whenever a page changes
//   --out FOLDER     builds it there instead
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureManual, ensureModules, fail, node, runManual } from './prepare.mjs';

const { values, positionals } = parseArgs({
  options: { serve: { type: 'boolean', default: false }, out: { type: 'string' } },
  allowPositionals: true,
});
const port = Number(positionals[0] ?? 8090);
if (!Number.isInteger(port) || port < 1 || port > 65535) fail(`${positionals[0]} is not a port.`);
if (!existsSync(node)) ensureModules();
if (values.serve) runManual(['--serve', String(port)]);
else if (values.out !== undefined) {
  if (!runManual(['--out', resolve(values.out)])) fail('The manual could not be built.');
} else ensureManual();
