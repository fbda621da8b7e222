// Run by scripts/docs.mjs and scripts/prepare.mjs.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSite } from './build.ts';
import { root } from './pages.ts';

const { values } = parseArgs({ options: { out: { type: 'string' }, serve: { type: 'string' } } });
if (values.serve === undefined) {
  await buildSite({ out: values.out ?? join(root, 'supervisor/web/dist/docs'), port: null });
} else {
  const out = mkdtempSync(join(tmpdir(), 'rushlight-docs-'));
  process.stdout.write(`The manual: http://localhost:${values.serve}/ (Ctrl-C ends it)\n`);
  await buildSite({ out, port: Number(values.serve) });
}
