import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cameraOf, RecordingRig, until } from '../recorder/recording-rig.fake.ts';
import { Take } from './take.ts';
import { TakeRun } from './take-run.ts';

it('A take is released once nothing records any more, whatever failed or is still being compressed', {
  timeout: 120_000,
}, async () => {
  await using rig = await RecordingRig.open();
  const { host, logger, pipe, folder } = rig;
  const take = await Take.create(join(folder, 'take'), {
    version: 1,
    id: 'take',
    startedAt: new Date().toISOString(),
    stoppedAt: null,
    wanted: true,
    state: 'starting',
    cameras: {},
  });
  const broken = join(folder, 'cam1.raw');
  await writeFile(broken, 'no pipe');
  const how = { raw: rig.command().raw, codec: 'ffv1', strategy: 'spool', strategyReason: '' } as const;
  const parts = [
    { camera: 'cam0', pipe: () => pipe },
    { camera: 'cam1', pipe: () => broken },
  ].map((part) => ({ ...part, ...how, threads: 2, reserveBytes: 1, sensorClock: () => undefined }));
  const ending = new AbortController();
  const run = new TakeRun(take, parts, {
    host,
    logger,
    rates: { learn: async () => {} },
    ending: ending.signal,
    onChange: () => {},
    onDiskTrouble: () => {},
    onHeld: () => {},
  });
  const compressing = rig.holdBack('compress-');
  await rig.startCapture();
  await run.prepare();
  const finished = run.run();
  await until(
    () => (run.progress.get('cam0')?.frames ?? 0) >= 15 && cameraOf(take, 'cam1').state === 'failed',
  );
  run.stop();
  await run.released;
  expect(run.holds('cam0')).toBe(false);
  await until(() => cameraOf(take, 'cam0').state === 'finishing');
  expect(cameraOf(take, 'cam1').reason).toContain('is not a named pipe');
  compressing.release();
  await finished;
  expect(cameraOf(take, 'cam0').state).toBe('verified');
});
