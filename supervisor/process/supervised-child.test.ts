import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChildProcessHost } from './child-process-host.ts';
import { SupervisedChild, type SupervisedChildOptions, type SupervisedState } from './supervised-child.ts';

const logger = pino({ level: 'silent' });
const waitOptions = { timeout: 20_000, interval: 20 };
let folder: string;
let host: ChildProcessHost;
let stop: AbortController;

function supervise(script: string, extra: Partial<SupervisedChildOptions> = {}) {
  const states: SupervisedState[] = [];
  const child = new SupervisedChild({
    host,
    spec: { name: 'program', argv: ['sh', '-c', script] },
    logger,
    policy: { initialMs: 10, maxMs: 20, minMs: 1 },
    onState: (state) => states.push(state),
    ...extra,
  });
  return { child, states, done: child.run(stop.signal), phases: () => states.map(({ phase }) => phase) };
}

function pidOf({ state }: SupervisedChild): number {
  if (state.phase !== 'running') throw new Error(`not running but ${state.phase}`);
  return state.pid;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-supervised-'));
  host = new ChildProcessHost({ logger, folder });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await host[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('a supervised child', () => {
  it('restarts after a kill and ends with the signal', async () => {
    const { child, done } = supervise('exec sleep 1000');
    await vi.waitFor(() => expect(child.state.phase).toBe('running'), waitOptions);
    const first = pidOf(child);
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(pidOf(child)).not.toBe(first), waitOptions);
    expect(child.restarts).toBe(1);
    stop.abort();
    await done;
    expect(child.state).toEqual({ phase: 'stopped' });
    expect(host.running).toEqual([]);
  });

  it('reports why it ended, with its last line', async () => {
    const { states } = supervise('echo "no such camera" >&2; exit 7');
    await vi.waitFor(() => expect(states.map(({ phase }) => phase)).toContain('backing-off'), waitOptions);
    expect(states.find(({ phase }) => phase === 'backing-off')).toMatchObject({
      reason: 'ended with code 7; last line: no such camera',
    });
  });

  it('backs off from a program that cannot be started', async () => {
    const spec = { name: 'program', argv: ['/no/such/program'] as const };
    const { states, child } = supervise('', { spec });
    await vi.waitFor(() => expect(child.restarts).toBeGreaterThan(1), waitOptions);
    expect(states.find(({ phase }) => phase === 'backing-off')).toMatchObject({
      reason: expect.stringMatching(/cannot start .*ENOENT/),
    });
  });

  it('is running once it says so', async () => {
    const { child, phases } = supervise('sleep 0.2; echo listening; exec sleep 1000', {
      isReady: ({ text }) => text === 'listening',
    });
    await vi.waitFor(() => expect(child.state.phase).toBe('running'), waitOptions);
    expect(phases()).toEqual(['starting', 'starting', 'running']);
    expect(child.lastLines).toEqual(['listening']);
  });

  it('is ended and counts as failed if it never gets ready', async () => {
    const { states } = supervise('exec sleep 1000', { isReady: () => false, readyTimeoutMs: 100 });
    await vi.waitFor(
      () => expect(states).toContainEqual(expect.objectContaining({ reason: 'not ready within 100 ms' })),
      waitOptions,
    );
  });

  it('restarts on demand without a pause', async () => {
    const { child, phases } = supervise('exec sleep 1000');
    await vi.waitFor(() => expect(child.state.phase).toBe('running'), waitOptions);
    const first = pidOf(child);
    await child.restart();
    await vi.waitFor(() => expect(pidOf(child)).not.toBe(first), waitOptions);
    expect(phases()).not.toContain('backing-off');
  });

  it('that waits for its restart does not delay the end', async () => {
    const { child, done } = supervise('exit 1', { policy: { initialMs: 1e6, maxMs: 1e6, minMs: 1e6 } });
    await vi.waitFor(() => expect(child.state.phase).toBe('backing-off'), waitOptions);
    stop.abort();
    await done;
    expect(child.state.phase).toBe('stopped');
  });
});
