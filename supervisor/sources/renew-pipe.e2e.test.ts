import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { openPipelines } from './pipelines-rig.fake.ts';

const patience = { timeout: 20_000, interval: 50 };
const source = (id: string) =>
  `[[source]]\nid = "${id}"\nkind = "test"\nwidth = 320\nheight = 180\nfps = 25\n`;

it('records a camera again whose pipe has a reader that the kernel holds, and touches no other', {
  timeout: 60_000,
}, async () => {
  await using rig = await openPipelines(source('cam0') + source('cam1'), true);
  const { pipelines, host } = rig;
  const pid = (id: string) => host.running.get(`capture-${id}`)?.pid;
  await rig.apply();
  await vi.waitFor(() => expect([pid('cam0'), pid('cam1')]).not.toContain(undefined), patience);
  const before = [pid('cam0'), pid('cam1')];
  // It opened the pipe and never reads, as a recorder inside a write to a dead disk.
  const held = spawn('sh', ['-c', 'exec 3<"$0"; echo open; exec sleep 1000', pipelines.pipeOf('cam0')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(held.stdout, 'data');
    const old = pipelines.pipeOf('cam0');
    pipelines.renewPipe('cam0');
    expect([rig.wishes, pipelines.pipeOf('cam0') === old]).toEqual([1, false]);
    await rig.apply();
    await vi.waitFor(() => expect([undefined, before[0]]).not.toContain(pid('cam0')), patience);
    expect(pid('cam1')).toBe(before[1]);
    const { pipe } = pipelines.all().find(({ id }) => id === 'cam0') ?? {};
    expect(pipe).toBe(pipelines.pipeOf('cam0'));
    const argv = ['-v', 'error', '-f', 'nut', '-i', `file:${pipe}`, '-frames:v', '5', '-f', 'null', '-'];
    const reader = spawn('ffmpeg', ['-nostdin', ...argv], { stdio: 'inherit' });
    expect(await once(reader, 'close')).toEqual([0, null]);
  } finally {
    held.kill('SIGKILL');
  }
});
