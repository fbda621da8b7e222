import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import { gateOf } from '../../../common/disk-gate.ts';
import { endOfReader } from './reading-child.ts';

const file = join(tmpdir(), 'master');
const patienceMs = 200;

test('leaves a child that reads, or that was paused, and ends one that waits', async () => {
  await using host = new SpawningChildHost();
  const reading = 'for _ in $(seq 10); do sleep 0.1; read -r _ </proc/uptime; done';
  const reader = await host.spawn({ name: 'reader', argv: ['bash', '-c', reading] });
  expect(await endOfReader(reader, { file, patienceMs: 500 })).toEqual({ code: 0, signal: null });
  const idle = await host.spawn({ name: 'idle', argv: ['sleep', '1'] });
  expect(await endOfReader(idle, { file, patienceMs, isResting: () => true })).toMatchObject({ code: 0 });
  expect(gateOf(file).silentMs).toBeNull();

  const stuck = await host.spawn({ name: 'stuck', argv: ['sleep', '1000'] });
  await expect(endOfReader(stuck, { file, patienceMs })).rejects.toMatchObject({ code: 'DISK_SILENT' });
  expect(await stuck.exited).toMatchObject({ signal: 'SIGTERM' });
  expect(gateOf(file).silentMs).not.toBeNull();
});
