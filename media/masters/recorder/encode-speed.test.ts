import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, vi } from 'vitest';
import { SpawningChildHost } from '../../../common/child-host.fake.ts';
import type { Child, ChildSpec } from '../../../common/child-host.ts';
import type { RawStream } from '../../capture/types.ts';
import { EncodeSpeed } from './encode-speed.ts';

const raw: RawStream = {
  codec: 'rawvideo',
  pixelFormat: 'yuv420p',
  range: 'limited',
  fps: 30,
  width: 1920,
  height: 1080,
  clock: 'epoch',
};
const never = new AbortController().signal;

it('measures nothing if memory is short, and a failure only once', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'encode-speed-test-'));
  try {
    const exited = Promise.resolve({ code: 1, signal: null });
    const spawn = vi.fn(async ({ name }: ChildSpec): Promise<Child> => {
      const stop = () => exited;
      return { name, pid: 1, adopted: false, exited, stop, [Symbol.asyncDispose]: async () => {} };
    });
    let freeMemory = 200e6;
    const speed = new EncodeSpeed({
      host: { spawn },
      logger: pino({ level: 'silent' }),
      scratch,
      version: '1',
      cacheFile: join(scratch, 'speed.json'),
      freeMemory: () => freeMemory,
    });
    expect(await speed.measured('ffv1', raw, 4, never)).toBeNull();
    expect(spawn).not.toHaveBeenCalled();
    freeMemory = 2e9;
    expect(await speed.measured('ffv1', raw, 4, never)).toBeNull();
    expect(await speed.measured('ffv1', raw, 4, never)).toBeNull();
    expect(spawn).toHaveBeenCalledTimes(1);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});

it('reads the measurement once and reports once that it is damaged', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'encode-speed-test-'));
  const warnings: unknown[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const cacheFile = join(scratch, 'speed.json');
  await writeFile(cacheFile, '{"version":');
  const host = { spawn: () => Promise.reject(new Error('nothing is measured here')) };
  const speed = new EncodeSpeed({ host, logger, scratch, version: '1', cacheFile });
  for (let i = 0; i < 3; i++) expect(await speed.known('ffv1', raw, 4)).toBeNull();
  expect(warnings).toHaveLength(1);
  await rm(scratch, { recursive: true, force: true });
});

it.each([
  ['ffv1', 'full'],
  ['ffv1', 'limited'],
  ['prores', 'full'],
  ['prores', 'limited'],
] as const)('measures %s of %s range', async (codec, range) => {
  const scratch = await mkdtemp(join(tmpdir(), 'encode-speed-test-'));
  await using host = new SpawningChildHost();
  try {
    const speed = new EncodeSpeed({
      host,
      logger: pino({ level: 'silent' }),
      scratch,
      version: '1',
      cacheFile: join(scratch, 'speed.json'),
    });
    const small = { ...raw, width: 64, height: 48, range };
    expect(await speed.measured(codec, small, 1, never)).toBeGreaterThan(0);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});
