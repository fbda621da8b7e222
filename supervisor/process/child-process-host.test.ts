import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChildLine, ChildSpec } from './child.ts';
import { ChildProcessHost } from './child-process-host.ts';
import { readProcStat } from './proc-stat.ts';
import { groupLives } from './process-group.ts';

const logger = pino({ level: 'silent' });
const waitOptions = { timeout: 20_000, interval: 20 };

let folder: string;
const hosts: ChildProcessHost[] = [];

function newHost(maxLinesPerSecond?: number): ChildProcessHost {
  const host = new ChildProcessHost({ logger, folder, ...(maxLinesPerSecond && { maxLinesPerSecond }) });
  hosts.push(host);
  return host;
}

function shell(name: string, script: string, extra: Partial<ChildSpec> = {}): ChildSpec {
  return { name, argv: ['sh', '-c', script], ...extra };
}

function collector() {
  const lines: ChildLine[] = [];
  return {
    lines,
    onLine: (line: ChildLine) => void lines.push(line),
    texts: () => lines.map(({ text }) => text),
  };
}

/** Starts a second supervisor-like process that spawns the spec, prints its pid, and stays. */
async function spawnElsewhere(spec: ChildSpec) {
  const elsewhere = fork(
    new URL('./fixtures/abandoning-host.ts', import.meta.url),
    [folder, JSON.stringify(spec)],
    {
      execArgv: [],
    },
  );
  const [message] = (await once(elsewhere, 'message')) as [{ pid: number }];
  const abandon = async () => {
    const gone = once(elsewhere, 'exit');
    elsewhere.kill('SIGKILL');
    await gone;
  };
  return { pid: message.pid, abandon };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-children-'));
});

afterEach(async () => {
  await newHost().reapOrphans([]);
  for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('a child', () => {
  it('passes on its lines from both streams and its exit code', async () => {
    const { lines, onLine } = collector();
    const child = await newHost().spawn(
      shell('talker', 'echo out; echo err >&2; printf unfinished; exit 3'),
      onLine,
    );
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual([
      'out',
      'unfinished',
    ]);
    expect(lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toEqual(['err']);
  });

  it('reports the signal that ended it', async () => {
    const child = await newHost().spawn(shell('suicide', 'kill -KILL $$'));
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('that cannot be started rejects with its code and cause', async () => {
    const spec: ChildSpec = { name: 'nothing', argv: ['/no/such/program'] };
    await expect(newHost().spawn(spec)).rejects.toMatchObject({
      code: 'CHILD_SPAWN_FAILED',
      cause: { code: 'ENOENT' },
    });
    await expect(newHost().spawn({ ...spec, durable: true })).rejects.toMatchObject({
      code: 'CHILD_SPAWN_FAILED',
    });
    expect(readdirSync(folder).filter((file) => file.endsWith('.json'))).toEqual([]);
  });

  it('gets SIGKILL with its whole group if it ignores the request to end', async () => {
    const { onLine, texts } = collector();
    const script =
      'trap "" TERM; (trap "" TERM; while :; do sleep 0.1; done) & echo ready; while :; do sleep 0.1; done';
    const child = await newHost().spawn(shell('stubborn', script, { stopTimeoutMs: 200 }), onLine);
    await vi.waitFor(() => expect(texts()).toContain('ready'), waitOptions);
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(groupLives(child.pid)).toBe(false);
  });

  it('ends although a grandchild holds its stdout, and the grandchild ends too', async () => {
    const host = newHost();
    const child = await host.spawn(shell('parent', 'sleep 1000 & exit 0'));
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await vi.waitFor(() => expect(groupLives(child.pid)).toBe(false), waitOptions);
    await vi.waitFor(() => expect(host.running).toEqual([]), waitOptions);
  });

  it('keeps its name while it runs and frees it at its end', async () => {
    const host = newHost();
    const first = await host.spawn(shell('only', 'sleep 1000'));
    await expect(host.spawn(shell('only', 'sleep 1000'))).rejects.toMatchObject({ code: 'CHILD_NAME_TAKEN' });
    const stopped = first.stop();
    const second = await host.spawn(shell('only', 'sleep 1000'));
    expect(second.pid).not.toBe(first.pid);
    await stopped;
    expect(await second.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(await second.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('with a name that is not a file name is rejected', async () => {
    await expect(newHost().spawn(shell('../up', 'true'))).rejects.toMatchObject({
      code: 'CHILD_NAME_INVALID',
    });
  });

  it('sees no variable of the service manager', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '/run/nobody');
    const { onLine, texts } = collector();
    const child = await newHost().spawn(
      shell('env', 'echo "<$NOTIFY_SOCKET> <$OWN>"', { env: { OWN: 'x' } }),
      onLine,
    );
    await child.exited;
    vi.unstubAllEnvs();
    expect(texts()).toEqual(['<> <x>']);
  });

  it('that floods has its lines counted', async () => {
    const { onLine, texts } = collector();
    const child = await newHost(10).spawn(shell('flood', 'yes | head -n 20000'), onLine);
    await child.exited;
    const withheld = texts().flatMap((text) => /^\((\d+) more lines/.exec(text)?.[1] ?? []);
    const passed = texts().length - withheld.length;
    expect(passed + withheld.reduce((sum, count) => sum + Number(count), 0)).toBe(20_000);
    expect(passed).toBeLessThan(20_000);
  });
});

describe('a durable child', () => {
  it('writes to files that are followed and kept short', async () => {
    const { onLine, texts } = collector();
    const script =
      'echo first; head -c 3000000 /dev/zero | tr "\\0" "a" | fold -w 5000; echo; echo last; sleep 1000';
    const child = await newHost(100_000).spawn(shell('writer', script, { durable: true }), onLine);
    await vi.waitFor(() => expect(texts().at(-1)).toBe('last'), waitOptions);
    expect(texts()[0]).toBe('first');
    await vi.waitFor(
      () => expect(statSync(join(folder, 'writer.stdout.log')).size).toBeLessThan(1024 * 1024),
      waitOptions,
    );
    await child.stop();
    expect(existsSync(join(folder, 'writer.stdout.log'))).toBe(false);
    expect(existsSync(join(folder, 'writer.json'))).toBe(false);
  });

  it('outlives the crash of its host and is taken over by the next, which sees its lines and its end', async () => {
    const spec = shell('survivor', 'trap "echo bye; exit 0" TERM; while :; do echo tick; sleep 0.1; done', {
      durable: true,
    });
    const elsewhere = await spawnElsewhere(spec);
    await elsewhere.abandon();
    const { onLine, texts } = collector();
    const host = newHost();
    expect(await host.reapOrphans(['survivor'])).toEqual([]);
    const child = await host.spawn(spec, onLine);
    expect(child).toMatchObject({ pid: elsewhere.pid, adopted: true });
    await vi.waitFor(() => expect(texts()).toContain('tick'), waitOptions);
    expect(await child.stop()).toEqual({ code: null, signal: null });
    expect(texts().at(-1)).toBe('bye');
    expect(groupLives(elsewhere.pid)).toBe(false);
  });

  it('that ends by itself after a take-over is noticed', async () => {
    const spec = shell('mortal', 'sleep 1000', { durable: true });
    const elsewhere = await spawnElsewhere(spec);
    await elsewhere.abandon();
    const child = await newHost().spawn(spec);
    process.kill(elsewhere.pid, 'SIGKILL');
    expect(await child.exited).toEqual({ code: null, signal: null });
  });

  it('with another spec is ended before the new one starts', async () => {
    const elsewhere = await spawnElsewhere(shell('changed', 'sleep 1000', { durable: true }));
    await elsewhere.abandon();
    const child = await newHost().spawn(shell('changed', 'sleep 1001', { durable: true }));
    expect(child.adopted).toBe(false);
    expect(groupLives(elsewhere.pid)).toBe(false);
  });

  it('that nobody wants any more is reaped, with everything it started', async () => {
    const elsewhere = await spawnElsewhere(shell('unwanted', 'sleep 1000 & sleep 1000', { durable: true }));
    await elsewhere.abandon();
    expect(await newHost().reapOrphans(['wanted'])).toContain('unwanted');
    expect(groupLives(elsewhere.pid)).toBe(false);
  });

  it('whose leader died unseen leaves nothing behind at its next start', async () => {
    const spec = shell('headless', 'sleep 1000 & sleep 1000', { durable: true });
    const elsewhere = await spawnElsewhere(spec);
    await elsewhere.abandon();
    process.kill(elsewhere.pid, 'SIGKILL');
    await vi.waitFor(() => expect(readProcStat(elsewhere.pid)?.state ?? 'Z').toBe('Z'), waitOptions);
    const child = await newHost().spawn(spec);
    expect(child.adopted).toBe(false);
    expect(groupLives(elsewhere.pid)).toBe(false);
  });
});

describe('the host', () => {
  it('reaps a child that was not durable even if its name is still wanted', async () => {
    const elsewhere = await spawnElsewhere(shell('plain', 'exec sleep 1000'));
    await elsewhere.abandon();
    expect(await newHost().reapOrphans(['plain'])).toContain('plain');
    expect(groupLives(elsewhere.pid)).toBe(false);
  });

  it('leaves its own children alone when it reaps', async () => {
    const host = newHost();
    const plain = await host.spawn(shell('plain', 'sleep 1000'));
    const durable = await host.spawn(shell('durable', 'sleep 1000', { durable: true }));
    expect(await host.reapOrphans([])).toEqual([]);
    expect([groupLives(plain.pid), groupLives(durable.pid)]).toEqual([true, true]);
  });

  it('finds a stray that left its group', async () => {
    const { onLine, texts } = collector();
    const host = newHost();
    const child = await host.spawn(
      shell('runaway', "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.5"),
      onLine,
    );
    await child.exited;
    const stray = Number(texts()[0]);
    expect(groupLives(stray)).toBe(true);
    await vi.waitFor(() => expect(host.running).toEqual([]), waitOptions);
    expect(await host.reapOrphans([])).toEqual(['runaway']);
    expect(groupLives(stray)).toBe(false);
  });

  it('ends everything when it is disposed, and starts nothing more', async () => {
    const host = newHost();
    const children = await Promise.all([
      host.spawn(shell('a', 'sleep 1000')),
      host.spawn(shell('b', 'sleep 1000 | sleep 1000', { durable: true })),
    ]);
    const late = host.spawn(shell('late', 'sleep 1000'));
    await Promise.all([
      host[Symbol.asyncDispose](),
      expect(late).rejects.toMatchObject({ code: 'CHILD_SPAWN_FAILED' }),
    ]);
    await sleep(0);
    expect(children.map(({ pid }) => groupLives(pid))).toEqual([false, false]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
