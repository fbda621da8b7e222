import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { faces, packagesOnlyFor, rules } from './import-rules.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');
const folders = ['common', 'supervisor', 'media', 'ota', 'hil-tests', 'image/provision', 'release'];

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

function violationsIn(tree: string): Violation[] {
  const args = [cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', '--', ...folders];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (stdout === '') throw new Error(`dependency-cruiser said nothing: ${stderr}`);
  return JSON.parse(stdout).summary.violations;
}

/** Lays the files out under the repository's own rules and returns what the tool finds. */
function violationsOf(files: Readonly<Record<string, string>>): Violation[] {
  const tree = mkdtempSync(join(tmpdir(), 'rushlight-rules-'));
  try {
    mkdirSync(join(tree, 'scripts'));
    for (const name of [
      '.dependency-cruiser.mjs',
      'scripts/import-rules.ts',
      'package.json',
      'tsconfig.json',
    ]) {
      writeFileSync(join(tree, name), readFileSync(join(root, name)));
    }
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    for (const folder of folders) mkdirSync(join(tree, folder), { recursive: true });
    for (const [file, source] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, file)), { recursive: true });
      writeFileSync(join(tree, file), source);
    }
    return violationsIn(tree);
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** The file of a room that others may import. */
const faceOf = (room: string) => (room.endsWith('.ts') ? room : `${room}/index.ts`);
/** Where the rule test puts a room's imports; a room that is one file has no other place. */
const probeOf = (room: string) => (room.endsWith('.ts') ? room : `${room}/probe.ts`);

/** A file that imports the type of each target, and exports one of its own. */
function fileImporting(from: string, targets: readonly string[]): string {
  const lines = targets.map((target, index) => {
    const path = relative(dirname(from), target).replace(/^(?!\.)/, './');
    return `import type { Shape as Shape${index} } from '${path}';\nexport type Used${index} = Shape${index};\n`;
  });
  return `${lines.join('')}export type Shape = string;\n`;
}

const rooms = Object.keys(rules);

// The tool reads every file, which takes long on a busy machine.
describe('imports run one way', { timeout: 300_000 }, () => {
  test('the repository keeps the rules', () => {
    const found = violationsIn(root).map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
    expect(found).toEqual([]);
  });

  test('the list decides about type imports from every room into every other', () => {
    // A room inside another one is part of it, and both may import each other as files of one room do.
    const within = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
    const others = (room: string) => rooms.filter((other) => !within(other, room) && !within(room, other));
    const files = {
      ...Object.fromEntries(rooms.map((room) => [faceOf(room), fileImporting(faceOf(room), [])])),
      ...Object.fromEntries(
        rooms.map((room) => [probeOf(room), fileImporting(probeOf(room), others(room).map(faceOf))]),
      ),
    };
    const refused = rooms.flatMap((room) =>
      others(room)
        .filter((other) => !rules[room]?.includes(other))
        .map((other) => `${probeOf(room)} -> ${faceOf(other)}`),
    );
    const found = violationsOf(files).filter(({ rule }) => rule.name !== 'no-cycle');
    expect([...new Set(found.map(({ from, to }) => `${from} -> ${to}`))].sort()).toEqual(refused.sort());
    expect(refused.length).toBeGreaterThan(rooms.length);
  });

  test('a room with a face is only imported through it', () => {
    const rooms = Object.keys(faces);
    const importers = rooms.map((room) =>
      Object.keys(rules).find((other) => !other.endsWith('.ts') && rules[other]?.includes(room)),
    );
    const inner = (room: string) => `${room}/within/part.ts`;
    const files = rooms.flatMap((room, index) => {
      const probe = `${importers[index]}/probe-${index}.ts`;
      return [
        [inner(room), fileImporting(inner(room), [])],
        [probe, fileImporting(probe, [inner(room)])],
      ];
    });
    const found = violationsOf(Object.fromEntries(files));
    expect(importers).not.toContain(undefined);
    expect(found.map(({ to }) => to).sort()).toEqual(rooms.map(inner).sort());
  });

  test('every file of a face exists', () => {
    const files = Object.entries(faces).flatMap(([room, names]) => names.map((name) => `${room}/${name}`));
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test('rejects a cycle, even of types alone', () => {
    const found = violationsOf({
      'ota/one.ts': "import type { Two } from './two.ts';\nexport type One = Two | 1;\n",
      'ota/two.ts': "import type { One } from './one.ts';\nexport type Two = One | 2;\n",
    });
    expect(found.map(({ rule }) => rule.name)).toContain('no-cycle');
  });

  test('product code imports neither tests nor fakes', () => {
    const found = violationsOf({
      'ota/one.fake.ts': 'export const one = 1;\n',
      'ota/two.ts': "export { one } from './one.fake.ts';\n",
    });
    expect(found.map(({ rule }) => rule.name)).toEqual(['no-test-in-product']);
  });

  test.each(Object.entries(packagesOnlyFor))('only its rooms import the package %s', (name, allowed) => {
    const rooms = ['common', 'media', 'ota', 'supervisor/takes', ...allowed];
    const files = Object.fromEntries(
      rooms.map((room) => [`${room}/probe.ts`, `import type {} from '${name}';\n`]),
    );
    const refused = ['common', 'media', 'ota', 'supervisor/takes'].filter((room) => !allowed.includes(room));
    expect(
      violationsOf(files)
        .map(({ from }) => from)
        .sort(),
    ).toEqual(refused.map((room) => `${room}/probe.ts`).sort());
  });

  test('ARCHITECTURE.md shows every room', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    expect(rooms.filter((room) => !text.includes(`\`${room}`))).toEqual([]);
  });
});

describe('lint', () => {
  test('rejects a floating promise', () => {
    const tree = mkdtempSync(join(tmpdir(), 'rushlight-lint-'));
    try {
      const { vcs: _, $schema: __, ...settings } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
      writeFileSync(join(tree, 'biome.json'), JSON.stringify(settings));
      writeFileSync(join(tree, 'floating.ts'), 'const work = async (): Promise<void> => {};\nwork();\n');
      const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
      const { stdout } = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '.'], {
        cwd: tree,
        encoding: 'utf8',
      });
      expect(stdout).toContain('noFloatingPromises');
    } finally {
      rmSync(tree, { recursive: true });
    }
  });
});
