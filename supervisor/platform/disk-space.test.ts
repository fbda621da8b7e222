import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { gateOf } from '../../common/disk-gate.ts';
import { DiskSpace } from './disk-space.ts';

const log = pino({ level: 'silent' });

test('reports what each disk answers, and forgets disks that are gone', async () => {
  const space = new DiskSpace(log);
  expect(space.of('/')).toBeNull();
  await space.look(['/', '/no/such/disk']);
  expect(space.of('/')).toMatchObject({ totalBytes: expect.any(Number), freeBytes: expect.any(Number) });
  expect(space.of('/')).not.toHaveProperty('silentS');
  expect(space.of('/no/such/disk')).toBeNull();
  await space.look([]);
  expect(space.of('/')).toBeNull();
});

test('keeps the last answer of a disk that hangs, asks it once, and delays no one', async () => {
  const space = new DiskSpace(log);
  await space.look(['/dev/shm']);
  const before = space.of('/dev/shm');
  const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const gate = gateOf('/dev/shm');
  const held = answers.map(({ promise }) => gate.run(() => promise, { patienceMs: 2000 }));
  let givenUp = 0;
  const counted = held.map((one) => one.catch(() => givenUp++));
  await Promise.all([space.look(['/dev/shm', '/']), space.look(['/dev/shm', '/'])]);
  // It returns long before the disk is given up.
  expect(givenUp).toBe(0);
  await Promise.all(counted);
  for (const one of held) await expect(one).rejects.toMatchObject({ code: 'DISK_SILENT' });
  expect(space.of('/dev/shm')).toEqual({ ...before, silentS: expect.any(Number) });
  expect(space.of('/')).not.toHaveProperty('silentS');
  for (const { resolve } of answers) resolve();
  await sleep(0);
  await space.look(['/dev/shm']);
  expect(space.of('/dev/shm')).not.toHaveProperty('silentS');
});
