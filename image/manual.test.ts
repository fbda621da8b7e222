import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

test('the image ships the product with its pages and the manual', () => {
  const script =
    'SOURCE_DIR=$1; source "$1/image/lib/common.sh"; source "$1/image/lib/product.sh"; product_sources';
  const { stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script, 'bash', root], {
    encoding: 'utf8',
    // A socket in its place makes bash read its settings for remote shells.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(stderr).toBe('');
  const files = new Set(stdout.split('\n'));
  for (const name of [
    'index.html',
    'docs/index.html',
    'docs/assets/search.json',
    'docs/operate/troubleshooting.html',
  ]) {
    expect(files, name).toContain(`supervisor/web/dist/${name}`);
  }
});
