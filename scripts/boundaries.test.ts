import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');

const refused = [
  ['media/sfu/feed.ts', '../../supervisor/system/log.ts'],
  ['media/sfu/feed.ts', '../../ota/index.ts'],
  ['media/sfu/feed.ts', 'koa'],
  ['ota/install.ts', '../common/errors.ts'],
  ['ota/install.ts', '../media/index.ts'],
  ['hil-tests/tests/boot.ts', '../../supervisor/config/schema.ts'],
  ['supervisor/web/src/app.ts', '../../config/schema.ts'],
  ['supervisor/web/src/app.ts', '../../api/server.ts'],
  ['supervisor/process/child.ts', '../api/server.ts'],
  ['supervisor/config/load.ts', '../roles/decide-role.ts'],
  ['supervisor/platform/gpio.ts', '../../media/index.ts'],
  ['supervisor/roles/decide-role.ts', '../discovery/hub-locator.ts'],
  ['supervisor/roles/decide-role.ts', '../appliance.ts'],
  ['supervisor/camera/hub-locator.ts', '../telemetry/client.ts'],
  ['supervisor/telemetry/client.ts', '../api/server.ts'],
  ['supervisor/api/server.ts', '../telemetry/client.ts'],
  ['supervisor/api/server.ts', '../appliance.ts'],
  ['supervisor/api/server.ts', '../../media/index.ts'],
  ['supervisor/appliance.ts', '../media/sfu/feed.ts'],
  ['supervisor/appliance/takes.ts', '../../ota/selector/selector.ts'],
] as const;

const allowed = [
  ['media/sfu/feed.ts', '../rtp/h264.ts'],
  ['ota/install.ts', './slots.ts'],
  ['hil-tests/tests/boot.ts', '../../supervisor/contract/index.ts'],
  ['supervisor/web/src/app.ts', '../../api/contract.ts'],
  ['supervisor/process/child.ts', '../../common/child-host.ts'],
  ['supervisor/platform/cameras/device.ts', '../../api/contract.ts'],
  ['supervisor/telemetry/client.ts', '../api/contract.ts'],
  ['supervisor/api/server.ts', '../config/schema.ts'],
  ['supervisor/appliance.ts', '../media/index.ts'],
  ['supervisor/appliance/takes.ts', '../../ota/index.ts'],
] as const;

interface Finding {
  readonly category: string;
  readonly location: { readonly path: string };
}

/** Lints files of the given contents, laid out in a tree of their own under the repository's own rules. */
function lint(files: Record<string, string>): Finding[] {
  const tree = mkdtempSync(join(tmpdir(), 'rushlight-boundaries-'));
  try {
    const { vcs: _, $schema: __, ...rules } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(tree, 'biome.json'), JSON.stringify(rules));
    for (const [file, source] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, file)), { recursive: true });
      writeFileSync(join(tree, file), source);
    }
    const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8' });
    const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
    expect(report.summary.changed + report.summary.unchanged, stderr).toBe(Object.keys(files).length + 1);
    return report.diagnostics;
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** Each pair in a file of its own, so that findings can be told apart. */
function treeOf(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(([file, target], index) => [numbered(file, index), `export * from '${target}';\n`]),
  );
}

/** The appliance's own file keeps its name: the rules name it. */
function numbered(file: string, index: number): string {
  return file === 'supervisor/appliance.ts' ? file : file.replace(/\.ts$/, `-${index}.ts`);
}

describe('imports run one way', () => {
  const findings = lint({
    ...treeOf([...refused, ...allowed.slice(0, -2), ...allowed.slice(-1)]),
    'supervisor/floating.ts': 'const work = async (): Promise<void> => {};\nwork();\n',
  });
  const restricted = findings
    .filter((finding) => finding.category === 'lint/style/noRestrictedImports')
    .map((finding) => finding.location.path);

  test.each(refused.map(([file, target], index) => [file, target, numbered(file, index)] as const))(
    '%s may not import %s',
    (_file, _target, written) => expect(restricted).toContain(written),
  );

  test('everything else is allowed', () => {
    expect(restricted.sort()).toEqual(refused.map(([file], index) => numbered(file, index)).sort());
  });

  test('the composition root may import the media plane', () => {
    expect(lint({ 'supervisor/appliance.ts': "export * from '../media/index.ts';\n" })).toEqual([]);
  });

  test('a promise that nobody waits for is refused', () => {
    expect(findings.filter((one) => one.category.endsWith('noFloatingPromises'))).toHaveLength(1);
  });
});
