import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installCommand, progressOf } from './apt.mjs';
import { npmNodeMajor, versionProblem } from './node-version.mjs';

/** A clone without packages, and a path on which there is nothing but what a test puts there. */
let clone = '';
let bin = '';
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'rushlight-clone-'));
  bin = join(clone, 'bin');
  mkdirSync(bin);
  for (const tool of ['mkdir', 'sleep']) symlinkSync(join('/bin', tool), join(bin, tool));
  cpSync(import.meta.dirname, join(clone, 'scripts'), { recursive: true });
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  // An npm that notes that it was called, and leaves what a real one would.
  lay('npm', 'echo "$PATH" >> npm-calls; mkdir -p node_modules/.bin; : > node_modules/.bin/node');
});
afterEach(() => rmSync(clone, { recursive: true }));

function lay(program: string, script: string): void {
  writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Runs Node.js in the clone, as an npm of that version would, as root or not. */
function run(
  words: string[],
  { agent = 'npm/10.8.2 node/v20.19.0 linux x64', root = true, npmNode = '/usr/bin/node' } = {},
) {
  const user = `data:text/javascript,process.getuid=()=>${root ? 0 : 1000}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', user, ...words], {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: bin, npm_config_user_agent: agent, npm_node_execpath: npmNode },
  });
  return { status, stdout, stderr };
}

function npmCalls(): string[] {
  try {
    return readFileSync(join(clone, 'npm-calls'), 'utf8').trim().split('\n');
  } catch {
    return []; // it was not called
  }
}

describe('the version of Node.js', () => {
  test('is checked first and reported in one sentence', () => {
    for (const script of ['start', 'test', 'hil']) {
      const { status, stderr } = run([`scripts/${script}.mjs`], {
        agent: 'npm/8.19.4 node/v16.20.2 linux x64',
      });
      expect(stderr.trim().split('\n')).toEqual([
        expect.stringMatching(
          /^Rushlight needs Node\.js 18 or newer, and this machine's is version 16: .+\.$/,
        ),
      ]);
      expect(status).toBe(1);
    }
    expect(npmCalls()).toEqual([]);
  });

  test('is that of npm, or of the script if that is older', () => {
    const ours = '/clone/node_modules/node/bin/node';
    const npmOn = (version: string, execPath: string) => ({
      npm_config_user_agent: `npm/10.0.0 node/v${version} linux x64`,
      npm_node_execpath: execPath,
    });
    const modules = '/clone/node_modules';
    const script = { execPath: ours, version: 'v24.0.0' };
    expect(npmNodeMajor(npmOn('22.1.0', '/usr/bin/node'), script, modules)).toBe(22);
    expect(npmNodeMajor({}, { execPath: '/usr/bin/node', version: 'v20.0.0' }, modules)).toBe(20);
    // Run by ours, or by an npm that itself runs on ours, as in a test: nothing is known.
    expect(npmNodeMajor({}, script, modules)).toBeNull();
    expect(npmNodeMajor(npmOn('24.0.0', ours), script, modules)).toBeNull();
    expect(versionProblem('v24.0.0', 16)).toContain('version 16');
    expect(versionProblem('v16.0.0', null)).toContain('version 16');
    expect(versionProblem('v18.20.4', 18)).toBeNull();
    expect(versionProblem('v20.0.0', 20)).toBeNull();
  });

  test('is stored with the packages: another one reinstalls them, the same one does not', () => {
    const ensure = ['--input-type=module', '-e', "(await import('./scripts/prepare.mjs')).ensureModules()"];
    run(ensure, { agent: 'npm/10.8.2 node/v20.19.0 linux x64' });
    run(ensure, { agent: 'npm/10.8.2 node/v20.20.0 linux x64' });
    expect(npmCalls()).toHaveLength(1);
    run(ensure, { agent: 'npm/10.9.0 node/v22.11.0 linux x64' });
    expect(npmCalls()).toHaveLength(2);
    // Where npm runs on the Node.js of the packages, what is there counts.
    run(ensure, {
      agent: 'npm/11.0.0 node/v24.0.0 linux x64',
      npmNode: join(clone, 'node_modules/node/bin/node'),
    });
    expect(npmCalls()).toHaveLength(2);
  });

  test('is upgraded first if the packages need a newer one', () => {
    const packages = { 'node_modules/node': { version: '24.21.0' } };
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ packages }));
    lay('npm', 'echo "$PATH|$*" >> npm-calls; mkdir -p node_modules/.bin; : > node_modules/.bin/node');
    const ensure = ['--input-type=module', '-e', "(await import('./scripts/prepare.mjs')).ensureModules()"];
    run(ensure, { agent: 'npm/9.2.0 node/v18.20.4 linux x64' });
    const beside = join(clone, 'build', 'npm');
    expect(npmCalls()).toEqual([
      expect.stringMatching(new RegExp(`^${bin}\\|install .*--prefix ${beside} .*node@24\\.21\\.0 npm@`)),
      expect.stringMatching(new RegExp(`^${beside}/node_modules/\\.bin:${bin}\\|ci `)),
    ]);
  });
});

describe('missing programs', () => {
  test('are listed before the packages are fetched, with a command that works on a fresh machine', () => {
    const { status, stderr } = run(['scripts/start.mjs'], { root: false });
    expect(stderr).toContain('sudo apt-get update && sudo apt-get install -y --no-install-recommends ffmpeg');
    expect(stderr).toMatch(/^These programs are missing: ffmpeg\./);
    expect(status).toBe(1);
    expect(npmCalls()).toEqual([]);
  });

  test('are not required by npm test before types and lint have run', () => {
    lay(
      'npm',
      `mkdir -p node_modules/.bin node_modules/typescript-native/bin node_modules/@biomejs/biome/bin
       : > node_modules/typescript-native/bin/tsc; : > node_modules/@biomejs/biome/bin/biome
       printf '#!/bin/sh\\necho "$*" >> node-calls\\n' > node_modules/.bin/node; /bin/chmod +x node_modules/.bin/node`,
    );
    const { status, stdout, stderr } = run(['scripts/test.mjs'], { root: false });
    const calls = readFileSync(join(clone, 'node-calls'), 'utf8').trim().split('\n');
    expect(calls.map((call) => call.replace(/^\S+node_modules\//, ''))).toEqual([
      'typescript-native/bin/tsc -p .',
      'typescript-native/bin/tsc -p supervisor/web',
      'typescript-native/bin/tsc -p scripts',
      '@biomejs/biome/bin/biome check --error-on-warnings .',
    ]);
    expect(stdout).toContain('== lint: passed');
    expect(stderr).toMatch(/^These programs are missing: ffmpeg, /);
    expect(status).toBe(1);
  });

  test('are installed as root, with progress', () => {
    lay(
      'apt-get',
      `case "$*" in
         *install*) for step in 10 50; do sleep 3.1; echo "dlstatus:1:$step.5:Retrieving file 1 of 9" >&3; done
           printf '#!/bin/sh\\n' > ${bin}/ffmpeg;;
       esac`,
    );
    const script = "await (await import('./scripts/prepare.mjs')).ensurePrograms(['ffmpeg'])";
    const { stdout, status } = run(['--input-type=module', '-e', script]);
    expect(stdout.split('\n')).toEqual([
      'Installing ffmpeg …',
      '  11 % fetched: Retrieving file 1 of 9',
      '  51 % fetched: Retrieving file 1 of 9',
      '',
    ]);
    expect(status).toBe(0);
  });

  test('the progress of apt-get', () => {
    expect(progressOf('pmstatus:libc6:amd64:33.3333:Unpacking libc6 (amd64)')).toBe(
      '33 % installed: Unpacking libc6 (amd64)',
    );
    expect(progressOf('pmstatus:dpkg-exec:0.0000:Running dpkg')).toBe('0 % installed: Running dpkg');
    expect(progressOf('pmerror:x:1:y')).toBeNull();
    expect(installCommand(['a', 'b'])).toMatch(/^sudo apt-get update && sudo apt-get install .* a b$/);
  });
});

test('the types of optional packages are declared here: npm omits a package that cannot be compiled', () => {
  const root = join(import.meta.dirname, '..');
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const declarations = readFileSync(join(root, 'supervisor/platform/onoff.d.ts'), 'utf8');
  for (const name of Object.keys(optionalDependencies))
    expect(declarations).toContain(`declare module '${name}'`);
});

test('without a Debian 13 root, one line says why, and nothing is built', () => {
  lay('dpkg', 'echo amd64');
  const script = "console.log((await import('./scripts/test-root.mjs')).openTestRoot())";
  const { stdout, stderr } = run(['--input-type=module', '-e', script], { root: false });
  expect(stdout).toBe(
    "The tests run on this machine's own system alone, not in Debian 13 as on the image: this needs root.\nnull\n",
  );
  expect(stderr).toBe('');
});
