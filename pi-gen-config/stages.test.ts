import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/**
 * pi-gen's ordering (build.sh, functions run_stage and run_sub_stage, of the commit image/lib/pi.sh pins): prerun.sh, then
 * the sub-folders in the order of their names, and in each, for i = 00 … 99, the six kinds of entries in this order.
 */
const kinds = ['debconf', 'packages-nr', 'packages', 'patches', 'run.sh', 'run-chroot.sh'] as const;
const ignoredInStage = new Set(['prerun.sh', 'EXPORT_IMAGE', 'EXPORT_NOOBS', 'SKIP', 'SKIP_IMAGES']);

interface Step {
  readonly folder: string;
  readonly entry: string;
}

function stepsOf(stage: string): Step[] {
  const folders = readdirSync(stage).filter((name) => statSync(join(stage, name)).isDirectory());
  return folders
    .sort()
    .flatMap((folder) =>
      Array.from({ length: 100 }, (_, index) => String(index).padStart(2, '0')).flatMap((i) =>
        kinds
          .map((kind) => ({ folder, entry: `${i}-${kind}` }))
          .filter(({ entry }) => existsSync(join(stage, folder, entry))),
      ),
    );
}

const isExecutable = (path: string): boolean => (statSync(path).mode & 0o111) !== 0;
const here = import.meta.dirname;
const stages = ['stage-board', 'stage-rushlight', 'export-rushlight'];

describe.each(stages)('%s', (name) => {
  const stage = join(here, name);

  test('starts with an executable prerun.sh', () =>
    expect(isExecutable(join(stage, 'prerun.sh'))).toBe(true));

  test('every file is one that pi-gen looks at', () => {
    const walked = new Set(stepsOf(stage).map(({ folder, entry }) => `${folder}/${entry}`));
    const stray = readdirSync(stage).flatMap((entry) => {
      if (!statSync(join(stage, entry)).isDirectory()) return ignoredInStage.has(entry) ? [] : [entry];
      return readdirSync(join(stage, entry))
        .map((file) => `${entry}/${file}`)
        .filter((file) => !walked.has(file) && !file.endsWith('/files'));
    });
    expect(stray).toEqual([]);
    expect(walked.size).toBeGreaterThan(0);
  });

  test('what pi-gen runs is executable and stops at the first error', () => {
    for (const { folder, entry } of stepsOf(stage)) {
      const path = join(stage, folder, entry);
      if (!entry.endsWith('run.sh')) continue;
      expect(isExecutable(path), path).toBe(true);
      expect(readFileSync(path, 'utf8').split('\n')[0], path).toBe('#!/bin/bash -e');
    }
  });

  test('package lists contain only package names', () => {
    for (const { folder, entry } of stepsOf(stage).filter((step) => step.entry.includes('packages'))) {
      const lines = readFileSync(join(stage, folder, entry), 'utf8').split('\n');
      for (const line of lines.map((text) => text.replace(/#.*/, '').trim()).filter((text) => text !== '')) {
        expect(line, `${folder}/${entry}`).toMatch(/^[a-z0-9][a-z0-9+.-]+$/);
      }
    }
  });
});

test('the export follows the last stage of the list and replaces it', () => {
  const config = readFileSync(join(here, 'config'), 'utf8');
  const list = /^export STAGE_LIST="(.*)"$/m.exec(config)?.[1]?.split(' ') ?? [];
  expect(list.map((path) => basename(path))).toEqual(['stage0', 'stage1', 'stage-board', 'stage-rushlight']);
  expect(list.filter((path) => existsSync(join(here, basename(path), 'EXPORT_IMAGE')))).toEqual([
    list.at(-1),
  ]);
  expect(config).toMatch(
    /^export EXPORT_CONFIG_DIR="\$\{RUSHLIGHT_SOURCE\}\/pi-gen-config\/export-rushlight"$/m,
  );
});

test.each([
  // build-docker.sh reads it on the host under set -eu, before BASE_DIR is known; only IMG_NAME matters to it.
  ['build-docker.sh', ':', 'rushlight /stage0'],
  ['build.sh', 'BASE_DIR=/pi-gen', 'rushlight /pi-gen/stage0'],
])('%s can read the configuration', (_, assignment, expected) => {
  const script = `set -eu; ${assignment}; source "$1"; echo "$IMG_NAME \${STAGE_LIST%% *}"`;
  const env = { PATH: process.env.PATH, RUSHLIGHT_SOURCE: '/src', RUSHLIGHT_PRODUCT: '/product.tar' };
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'config', join(here, 'config')], {
    encoding: 'utf8',
    env,
    // bash takes a socket for a remote shell's and reads its start-up files.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe(expected);
});

test("pi-gen's container gets everything that the stages read", () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-pi-gen-'));
  try {
    writeFileSync(join(folder, 'build-docker.sh'), '#!/bin/sh\nprintf "%s\\n" "$PIGEN_DOCKER_OPTS" "$@"\n');
    chmodSync(join(folder, 'build-docker.sh'), 0o755);
    const script = `set -euo pipefail; source "$1/image/lib/common.sh"; source "$1/image/lib/pi.sh"
      SOURCE_DIR=/src CACHE_DIR=/cache DOCKER=true RUSHLIGHT_SOURCE=/src RUSHLIGHT_PRODUCT=/cache/product.tar
      RUSHLIGHT_KEYS=/keys RUSHLIGHT_COMMIT=abc ROOT_BUDGET_MIB=700 SOURCE_DATE_EPOCH=1 DEPLOY_DIR=/out
      pi_gen_in_container "$2" /out`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'pi', join(here, '..'), folder], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const [options = '', ...args] = stdout.trim().split('\n');
    expect(args).toEqual(['-c', '/src/pi-gen-config/config']);
    for (const mounted of ['/src:/src:ro', '/cache:/cache:ro', '/keys:/keys:ro', '/out:/out'])
      expect(options).toContain(`--volume ${mounted}`);
    for (const variable of [
      'RUSHLIGHT_SOURCE=/src',
      'RUSHLIGHT_KEYS=/keys',
      'RUSHLIGHT_COMMIT=abc',
      'ROOT_BUDGET_MIB=700',
      'DEPLOY_DIR=/out',
    ])
      expect(options).toContain(`-e ${variable}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the walk of the virtual flavour', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rushlight-stage-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function walk(stage: string): { status: number | null; log: string[]; stderr: string } {
    const script = `
      set -euo pipefail; shopt -s inherit_errexit
      source "$1/image/lib/common.sh"; source "$1/image/lib/stage-walk.sh"
      on_chroot() { if [ $# -gt 0 ]; then echo "debconf $(cat)"; else bash -e; fi; }
      stage_packages() { echo "$1 $(read_packages "$1" | paste -sd,) \${2:-}"; }
      run_stage "$2"`;
    const args = ['-c', script, 'walk', join(here, '..'), stage];
    const { status, stdout, stderr } = spawnSync('bash', args, {
      encoding: 'utf8',
      env: { ...process.env, ROOTFS_DIR: folder },
    });
    return { status, log: stdout.trim().split('\n'), stderr };
  }

  function lay(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
      if (path.endsWith('-run.sh')) chmodSync(join(folder, path), 0o755);
    }
  }

  test("uses pi-gen's order, whatever the order of the files", () => {
    const say = (text: string): string => `#!/bin/bash -e\necho ${text}\n`;
    lay({
      '10-late/00-run.sh': say('late'),
      '02-skipped/00-run.sh': say('never'),
      '02-skipped/SKIP': '',
      '01-early/01-run.sh': say('01-run'),
      '01-early/00-run-chroot.sh': 'echo 00-chroot',
      '01-early/00-run.sh': say('00-run'),
      '01-early/00-packages': 'b # why\na\n',
      '01-early/00-packages-nr': 'c',
      '01-early/00-debconf': 'x',
      EXPORT_IMAGE: '',
    });
    const walked = walk(folder);
    expect(walked.status, walked.stderr).toBe(0);
    expect(walked.log).toEqual([
      'debconf x',
      '00-packages-nr c --no-install-recommends',
      '00-packages a,b ',
      '00-run',
      '00-chroot',
      '01-run',
      'late',
    ]);
  });

  test('skips a script without its run bit, as pi-gen does', () => {
    lay({ '00-a/00-run.sh': '#!/bin/bash -e\necho ran\n' });
    chmodSync(join(folder, '00-a/00-run.sh'), 0o644);
    expect(walk(folder).log).toEqual(['']);
  });

  test.each(['00-run.sh', '00-run-chroot.sh'])('an error in %s ends the build', (name) => {
    lay({
      [`00-a/${name}`]: '#!/bin/bash -e\nfalse\necho on\n',
      '01-b/00-run.sh': '#!/bin/bash -e\necho next\n',
    });
    const walked = walk(folder);
    expect(walked.status).not.toBe(0);
    expect(walked.log).toEqual(['']);
  });
});
