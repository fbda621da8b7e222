import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskFaults, type DiskRule, nothingIsAnswered, nothingIsWritten } from './disk-faults.ts';

/** Does what it reads on stdin, line by line, with the file that is its argument, and says what came of it. */
const scribe = `
  import { openSync, writeSync, writevSync, fsyncSync, fdatasyncSync, renameSync, closeSync, mkdirSync, unlinkSync, readFileSync, ftruncateSync, statSync, statfsSync, accessSync, readdirSync } from 'node:fs';
  import { createInterface } from 'node:readline';
  const file = process.argv[1];
  const fd = openSync(file, 'w');
  const deeds = {
    write: () => writeSync(fd, 'x'.repeat(100)),
    pwrite: () => writeSync(fd, 'x'.repeat(100), 0),
    writev: () => writevSync(fd, [Buffer.from('one'), Buffer.from('two')]),
    fsync: () => fsyncSync(fd),
    fdatasync: () => fdatasyncSync(fd),
    truncate: () => ftruncateSync(fd, 0),
    open: () => closeSync(openSync(file, 'r+')),
    create: () => closeSync(openSync(file + '.new', 'w')),
    mkdir: () => mkdirSync(file + '.folder'),
    rename: () => renameSync(file, file + '.renamed'),
    unlink: () => unlinkSync(file),
    close: () => closeSync(fd),
    read: () => readFileSync(file).length,
    stat: () => statSync(file).size && 'done',
    statfs: () => statfsSync(file).bsize && 'done',
    access: () => accessSync(file),
    list: () => readdirSync(file.slice(0, file.lastIndexOf('/'))) && 'done',
  };
  console.log('ready 0');
  for await (const line of createInterface({ input: process.stdin })) {
    const startedAt = performance.now();
    let said;
    try { said = deeds[line]() ?? 'done'; } catch (error) { said = error.code; }
    console.log(said + ' ' + Math.floor(performance.now() - startedAt));
  }
`;

describe('DiskFaults', { timeout: 60_000 }, () => {
  let folder: string;
  let elsewhere: string;
  let faults: DiskFaults;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faulty-'));
    elsewhere = await mkdtemp(join(tmpdir(), 'sound-'));
    faults = await DiskFaults.over(folder);
  });

  afterEach(async () => {
    await faults[Symbol.asyncDispose]();
    await Promise.all([folder, elsewhere].map((one) => rm(one, { recursive: true, force: true })));
  });

  it.each([
    ['write', 'write EIO', 'EIO'],
    ['pwrite', 'write ENOSPC', 'ENOSPC'],
    ['writev', 'write EROFS', 'EROFS'],
    ['fsync', 'sync EIO', 'EIO'],
    ['fdatasync', 'sync ENOSPC', 'ENOSPC'],
    ['truncate', 'truncate EIO', 'EIO'],
    ['open', 'open EROFS', 'EROFS'],
    ['create', 'create ENOSPC', 'ENOSPC'],
    ['mkdir', 'create EROFS', 'EROFS'],
    ['rename', 'rename EIO', 'EIO'],
    ['unlink', 'remove EROFS', 'EROFS'],
    ['close', 'close EIO', 'EIO'],
    ['read', 'read EIO', 'EIO'],
    ['stat', 'stat EIO', 'EIO'],
    ['statfs', 'stat EIO', 'EIO'],
    ['access', 'stat EIO', 'EIO'],
    ['list', 'stat EIO', 'EIO'],
  ] as const)('makes %s of a running node fail ("%s") in one folder only', async (deed, rule, error) => {
    const [here, there] = [await startScribe(folder), await startScribe(elsewhere)];
    await faults.set([rule]);
    expect((await here.doing(deed)).said).toBe(error);
    expect((await there.doing(deed)).said).not.toBe(error);
    await Promise.all([here.end(), there.end()]);
  });

  it('behaves normally once healed, and affects only what a rule names', async () => {
    const node = await startScribe(folder);
    await faults.set(['write EIO only .mkv', 'sync EIO every 2']);
    expect((await node.doing('write')).said).toBe('100');
    expect((await node.doing('fsync')).said).toBe('done');
    expect((await node.doing('fsync')).said).toBe('EIO');
    await faults.set(nothingIsWritten('EIO'));
    expect((await node.doing('write')).said).toBe('EIO');
    await faults.heal();
    expect((await node.doing('write')).said).toBe('100');
    expect((await node.doing('fsync')).said).toBe('done');
    await node.end();
  });

  it('waits before a sync', async () => {
    const node = await startScribe(folder);
    await faults.set(['sync delay 300']);
    expect((await node.doing('fsync')).tookMs).toBeGreaterThanOrEqual(299);
    await node.end();
  });

  it.each(['write', 'fsync', 'open', 'read', 'stat', 'statfs', 'access', 'list'] as const)(
    'lets %s hang until it is healed',
    async (deed) => {
      const node = await startScribe(folder);
      await faults.set(nothingIsAnswered);
      const doing = node.doing(deed);
      expect(await Promise.race([doing, sleep(300, 'hangs')])).toBe('hangs');
      await faults.heal();
      expect((await doing).said).not.toMatch(/^E/);
      await node.end();
    },
  );

  it('truncates writes, even vectored ones', async () => {
    await faults.set(['write short 7']);
    const program = `import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
print(os.write(fd, b'x' * 100), os.pwrite(fd, b'x' * 100, 0), os.writev(fd, [b'one', b'two']))`;
    const env = { ...process.env, ...faults.environment };
    const argv = ['-c', program, join(folder, 'file')];
    const { stdout, stderr } = spawnSync('python3', argv, { env, encoding: 'utf8' });
    expect([stdout.trim(), stderr]).toEqual(['7 7 3', '']);
  });

  it('ignores an invalid line', async () => {
    const node = await startScribe(folder);
    await faults.set(['write EIO often' as DiskRule]);
    expect((await node.doing('write')).said).toBe('100');
    await node.end();
  });

  it('reaches ffmpeg and its child processes, whatever starts it', async () => {
    const output = join(folder, 'out.mkv');
    const make = () => {
      const input = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=30', '-frames:v', '30'];
      const argv = ['ffmpeg', '-v', 'error', '-nostdin', ...input, '-c:v', 'ffv1', '-y', output];
      return spawnSync('nice', argv, { env: { ...process.env, ...faults.environment }, encoding: 'utf8' });
    };
    await faults.set(['write ENOSPC only out.mkv']);
    expect(make().stderr).toContain('No space left on device');
    await faults.set(['write short 1000']);
    const { status, stderr } = make();
    expect([status, stderr]).toEqual([0, '']);
    const cut = await readFile(output);
    await faults.heal();
    make();
    expect((await stat(output)).size).toBe(cut.length);
  });

  async function startScribe(place: string) {
    const argv = ['--input-type=module', '-e', scribe, join(place, 'file')];
    const env = { ...process.env, ...faults.environment };
    const child = spawn(process.execPath, argv, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    return {
      async doing(deed: string) {
        child.stdin.write(`${deed}\n`);
        const [said, tookMs] = `${(await lines.next()).value}`.split(' ');
        return { said, tookMs: Number(tookMs) };
      },
      async end() {
        child.stdin.end();
        await once(child, 'close');
      },
    };
  }
});
