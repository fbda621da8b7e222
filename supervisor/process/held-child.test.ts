import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { ChildProcessHost } from './child-process-host.ts';
import { endGroup, groupLives } from './process-group.ts';

// What the kernel holds survives even SIGKILL; no test can make such a process, so the answer of the kernel is played.
vi.mock('./process-group.ts', async (original) => {
  const actual = await original<typeof import('./process-group.ts')>();
  return { ...actual, endGroup: vi.fn(actual.endGroup) };
});

it('abandons a child of an earlier run that the kernel holds, and it blocks no start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-held-'));
  const logger = pino({ level: 'silent' });
  const spec = (name: string) => ({ name, argv: ['sleep', '1000'] as const, durable: true });
  const earlier = new ChildProcessHost({ logger, folder });
  try {
    const held = await earlier.spawn(spec('held'));
    const other = await earlier.spawn(spec('other'));
    const host = new ChildProcessHost({ logger, folder });
    vi.mocked(endGroup).mockImplementationOnce(async () => false);
    const ended = await host.reapOrphans([]);
    expect(ended).toHaveLength(1);
    expect([groupLives(held.pid), groupLives(other.pid)].filter((lives) => lives)).toHaveLength(1);
    expect(await host.reapOrphans([])).toHaveLength(1);
  } finally {
    await earlier[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});

it('a child of this run does not delay the end either, and its name is free again', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-held-'));
  const host = new ChildProcessHost({ logger: pino({ level: 'silent' }), folder });
  const spec = { name: 'held', argv: ['sleep', '1000'] as const };
  try {
    const held = await host.spawn(spec);
    vi.mocked(endGroup).mockImplementationOnce(async () => false);
    const stopped = held.stop();
    expect(await Promise.race([stopped, sleep(20_000, 'still waiting')])).toEqual({
      code: null,
      signal: 'SIGKILL',
    });
    expect(groupLives(held.pid)).toBe(true);
    await (await host.spawn(spec)).stop();
  } finally {
    await host[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});
