import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildCapture } from '../capture/build-capture.ts';
import { ensureRawPipe } from '../capture/raw-pipe.ts';
import type { CaptureCommand } from '../capture/types.ts';
import { SpawningChildHost } from '../child-host.fake.ts';
import type { Child } from '../child-host.ts';
import { parseFrameLog } from './frame-log.ts';
import { Recorder } from './recorder.ts';
import type { MasterStrategy } from './recorder-command.ts';
import { Take } from './take.ts';

const logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
const never = new AbortController().signal;

describe('Recorder', { timeout: 120_000 }, () => {
  let folder: string;
  let host: SpawningChildHost;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'masters-'));
    host = new SpawningChildHost();
  });

  afterEach(async () => {
    await host[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(['direct', 'spool'] as const)('keeps every frame, bit by bit (%s)', async (strategy) => {
    const capture = await startCapture();
    const take = await newTake();
    const recording = record(take, capture.command, strategy);
    await recording.until((frames) => frames >= 45);
    recording.stop.abort();
    await recording.done;

    const record0 = take.manifest.cameras.cam0;
    expect(record0).toMatchObject({ state: 'verified', reason: null, droppedFrames: 0, strategy });
    const segment = record0?.segments[0];
    expect(segment).toMatchObject({ state: 'closed', clean: true, spool: null, droppedBefore: 0 });
    expect(segment?.verified).toMatchObject({ ok: true, proof: 'bit-exact', problems: [] });
    await expectContiguousRun(take, capture.witness, 1);
    expect((await readdir(join(take.folder, 'cam0'))).toSorted()).toEqual(['0001.framemd5', '0001.mkv']);
  });

  async function startCapture(): Promise<{ command: CaptureCommand; child: Child; witness: string }> {
    const pipe = join(folder, 'cam0.raw');
    const witness = join(folder, 'witness');
    await ensureRawPipe(host, pipe);
    const source = { kind: 'test', id: 'cam0', width: 320, height: 180, fps: 30, bitrateKbps: 500 } as const;
    const encoder = { encoder: 'libx264', reason: 'test' } as const;
    const command = buildCapture(source, { rtpPort: 9, encoder, rawPipe: pipe, witness });
    const child = await host.spawn({ name: 'capture-cam0', argv: command.argv, durable: true });
    return { command, child, witness };
  }

  async function newTake(): Promise<Take> {
    const startedAt = new Date().toISOString();
    return Take.create(join(folder, 'take'), {
      ...{ version: 1, id: 'take', startedAt, stoppedAt: null, wanted: true, state: 'starting', cameras: {} },
    });
  }

  function record(take: Take, command: CaptureCommand, strategy: MasterStrategy) {
    const stop = new AbortController();
    let frames = 0;
    let done = false;
    const recorder = new Recorder(take, {
      ...{ host, logger, camera: 'cam0', pipe: join(folder, 'cam0.raw'), raw: command.raw, codec: 'ffv1' },
      ...{ strategy, strategyReason: 'test', threads: 2, reserveBytes: 1 },
      onProgress: (progress) => {
        frames = progress.frames;
      },
    });
    const running = recorder.run(stop.signal, never).finally(() => {
      done = true;
    });
    return {
      stop,
      done: running,
      until: async (enough: (frames: number) => boolean) => {
        while (!enough(frames)) {
          if (done) throw new Error('the recorder ended');
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
    };
  }
});

async function expectContiguousRun(take: Take, witness: string, segment: number): Promise<void> {
  const kept = await frameHashes(take.files('cam0', segment).reference);
  const captured = await frameHashes(witness);
  const first = captured.indexOf(kept[0] ?? 'none');
  expect(first).toBeGreaterThanOrEqual(0);
  expect(kept).toEqual(captured.slice(first, first + kept.length));
}

async function frameHashes(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return parseFrameLog(whole).frames.map(({ md5 }) => md5);
}
