import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { SpawningChildHost } from '../../common/child-host.fake.ts';
import { parseConfig } from '../config/parse.ts';
import { desiredState } from '../roles/desired-state.ts';
import { Pipelines } from './pipelines.ts';

const patience = { timeout: 20_000, interval: 50 };
const source = (id: string) =>
  `[[source]]\nid = "${id}"\nkind = "test"\nwidth = 320\nheight = 180\nfps = 25\n`;

it('records a camera again whose pipe has a reader that the kernel holds, and touches no other', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'renew-pipe-'));
  const host = new SpawningChildHost();
  const parsed = parseConfig(source('cam0') + source('cam1'));
  if (!parsed.ok) throw new Error('the settings are not valid');
  const desired = desiredState(parsed.config, 'hub', { cameras: [] });
  let wishes = 0;
  const pipelines = new Pipelines({
    host,
    ports: { portOf: async () => 9, keepOnly: async () => {} },
    runFolder: folder,
    configFile: join(folder, 'rushlight.toml'),
    devices: () => [],
    hardwareEncoder: null,
    model: 'PC',
    recording: () => true,
    publishPictures: () => {
      throw new Error('these sources send video');
    },
    onLinkRate: () => {
      wishes += 1;
    },
    onChange: () => {},
    log: pino({ level: 'silent' }),
  });
  const pid = (id: string) => host.running.get(`capture-${id}`)?.pid;
  await pipelines.apply(desired);
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
    expect([wishes, pipelines.pipeOf('cam0') === old]).toEqual([1, false]);
    await pipelines.apply(desired);
    await vi.waitFor(() => expect([undefined, before[0]]).not.toContain(pid('cam0')), patience);
    expect(pid('cam1')).toBe(before[1]);
    const { pipe } = pipelines.all().find(({ id }) => id === 'cam0') ?? {};
    expect(pipe).toBe(pipelines.pipeOf('cam0'));
    const argv = ['-v', 'error', '-f', 'nut', '-i', `file:${pipe}`, '-frames:v', '5', '-f', 'null', '-'];
    const reader = spawn('ffmpeg', ['-nostdin', ...argv], { stdio: 'inherit' });
    expect(await once(reader, 'close')).toEqual([0, null]);
  } finally {
    held.kill('SIGKILL');
    await pipelines.close();
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
