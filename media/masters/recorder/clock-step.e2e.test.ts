import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { takeManifestSchema } from '../take/manifest.ts';
import { cameraOf, until } from './recording-rig.fake.ts';

const recorder = join(import.meta.dirname, 'recorder-process.fake.ts');
const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');

/** Sets the clock in one step: programs under libfaketime were seen to hang where the file was rewritten while they read it. */
async function setClock(file: string, offset: string): Promise<void> {
  await writeFile(`${file}.new`, `${offset}\n`);
  await rename(`${file}.new`, file);
}

/** The machine's clock, as the recorder and its programs see it, is set two hours ahead in a take, and back. */
it.skipIf(library === undefined).each(['direct', 'spool'])(
  'a clock that is set during a take leaves no gap, and is noted (%s)',
  async (strategy) => {
    const folder = await mkdtemp(join(tmpdir(), 'clock-step-'));
    const clock = join(folder, 'clock');
    await setClock(clock, '+0');
    const faked = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const child = spawn(process.execPath, [recorder, folder, strategy], {
      env: { ...process.env, ...faked },
      stdio: ['pipe', 'pipe', 'inherit'] as const,
    });
    let frames = 0;
    let last = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = line;
      frames = Number(/^frames (\d+)$/.exec(line)?.[1] ?? frames);
    });
    const closed = once(child, 'close');
    const enough = (count: number) => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the recording ended after ${frames} frames: ${last}`);
      return frames >= count;
    };
    try {
      for (const offset of ['+2h', '+0', '+0']) {
        const before = frames;
        await until(() => enough(before + 45));
        await setClock(clock, offset);
      }
      child.stdin.end('stop');
      await closed;
      const text = await readFile(join(folder, 'takes', 'take', 'take.json'), 'utf8');
      const camera = cameraOf(takeManifestSchema.parse(JSON.parse(text)));
      expect(camera).toMatchObject({ state: 'verified', segments: [{ number: 1, clean: true }] });
      expect(camera.clockSteps.map(({ seconds }) => Math.round(seconds / 10) * 10)).toEqual([7200, -7200]);
      expect(camera.droppedFrames).toBeLessThan(30);
    } finally {
      child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  },
);
