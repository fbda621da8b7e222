import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SpawningChildHost } from '../../common/child-host.fake.ts';
import type { ChildLine } from '../../common/child-host.ts';
import { buildCapture, type SourceSpec } from './kinds/index.ts';
import { ensureRawPipe } from './raw-pipe.ts';
import { SourceHandler, type SourceHandlerOptions, type SourceStatus } from './source-handler.ts';

const logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
const test: SourceSpec = { kind: 'test', id: 'cam0', width: 320, height: 180, fps: 30, bitrateKbps: 500 };
const encoder = { encoder: 'libx264', reason: 'test' } as const;

describe('SourceHandler', { timeout: 60_000 }, () => {
  let folder: string;
  let socket: Socket;
  let host: SpawningChildHost;
  let frames: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'capture-'));
    host = new SpawningChildHost();
    socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    frames = 0;
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await host[Symbol.asyncDispose]();
    socket.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('restarts a killed pipeline and ends it cleanly on request', async () => {
    const { handler, stop, seen } = run(test);
    await until(() => handler.status.state === 'running');
    const first = pipeline();
    first.signal('SIGKILL');
    await until(() => handler.status.state === 'running' && handler.status.restarts === 1);
    expect(seen).toEqual(['starting', 'running', 'backing-off', 'starting', 'running']);
    const second = pipeline();
    await stop();
    // It obeyed the signal although nobody records, and was not killed.
    expect((await second.exited).signal).toBeNull();
    expect(host.running.size).toBe(0);
    expect(handler.status.state).toBe('stopped');
  });

  it('ends a pipeline that runs without delivering frames', async () => {
    const { handler, stop, seen } = run(test, { stallMs: 1000 });
    await until(() => handler.status.state === 'running');
    const first = pipeline();
    first.signal('SIGSTOP');
    await until(() => handler.status.state === 'running' && handler.status.restarts === 1);
    expect(seen).toContain('stalled');
    expect((await first.exited).signal).toBe('SIGKILL');
    await stop();
  });

  it('explains why a camera does not start, and keeps trying', async () => {
    const source: SourceSpec = {
      ...{ kind: 'v4l2', id: 'cam0', device: '/dev/video-none', format: 'mjpeg' },
      ...{ width: 640, height: 480, fps: 30, bitrateKbps: 500 },
    };
    const { handler, stop } = run(source);
    await until(() => handler.status.restarts >= 1 && handler.status.state === 'backing-off');
    expect(handler.status.fault).toEqual({ code: 'device-missing', words: 'The camera is not plugged in.' });
    expect(handler.status.nextTryInMs).toBeGreaterThan(0);
    expect(handler.status.lastErrorLine).toContain('/dev/video-none');
    await stop();
  });

  it('runs and says what arrives if a camera sends far fewer frames than requested', async () => {
    const handler = new SourceHandler({
      ...{ host, logger, source: test, targets: { rtpPort: socket.address().port, encoder } },
    });
    const ending = new AbortController();
    const running = handler.run(ending.signal);
    const counting = setInterval(() => {
      frames += 1;
      handler.noteFrames(frames);
    }, 200);
    await until(() => handler.status.fault !== null);
    expect(handler.status).toMatchObject({ state: 'running', fault: { code: 'slow' } });
    expect(handler.status.fault?.words).toContain('of the 30 frames a second that were asked for');
    expect(handler.status.deliveredFps).toBeLessThan(10);
    clearInterval(counting);
    ending.abort();
    await running;
  });

  it('names the codec that arrived, at once and when it gives up', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const says =
      '[info]   Stream #0:0: Video: mpeg4 (Simple Profile), yuv420p(tv), 1920x1080, 25 fps, 25 tbr, 90k tbn';
    const script = `#!/bin/sh\necho "[info] Input #0, rtsp, from 'x':" >&2\necho '${says}' >&2\nexec sleep 60\n`;
    await writeFile(join(bin, 'ffmpeg'), script, { mode: 0o755 });
    vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
    const source: SourceSpec = { kind: 'rtsp', id: 'cam0', url: 'rtsp://192.0.2.7/1' };
    const { handler, stop } = run(source, { startTimeoutMs: 700 });
    const fault = { code: 'codec-not-supported', words: 'The camera sends MPEG-4 Part 2. Set it to H.264.' };
    await until(() => handler.status.fault !== null);
    expect(handler.status).toMatchObject({ state: 'starting', fault });
    await until(() => handler.status.state === 'backing-off');
    expect(handler.status.fault).toEqual(fault);
    await stop();
  });

  it('records H.265 as what it is', async () => {
    const bin = join(folder, 'bin265');
    await mkdir(bin);
    const says =
      '[info]   Stream #0:0: Video: hevc (Main 10), yuv420p10le(tv), 1920x1080, 25 fps, 25 tbr, 90k tbn';
    const script = `#!/bin/sh\necho "[info] Input #0, rtsp, from 'x':" >&2\necho '${says}' >&2\nexec sleep 60\n`;
    await writeFile(join(bin, 'ffmpeg'), script, { mode: 0o755 });
    vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
    const source: SourceSpec = { kind: 'rtsp', id: 'cam0', url: 'rtsp://192.0.2.7/1' };
    const { handler, stop } = run(source, { startTimeoutMs: 20_000 });
    await until(() => handler.raw.codec === 'hevc');
    expect(handler.raw.pixelFormat.split('|')).toContain('yuv420p10le');
    expect(handler.status.fault).toBeNull();
    await stop();
  });

  it('writes almost nothing while nobody records', async () => {
    const pipe = join(folder, 'quiet.raw');
    await ensureRawPipe(host, pipe);
    const lines: string[] = [];
    const { argv } = buildCapture(test, { rtpPort: socket.address().port, encoder, rawPipe: pipe });
    const child = await host.spawn({ name: 'quiet', argv, stopTimeoutMs: 100 }, ({ text }: ChildLine) =>
      lines.push(text),
    );
    await until(() => lines.some((line) => line.includes('FIFO queue full')));
    const before = lines.length;
    const framesBefore = frames;
    socket.on('message', countFrames);
    await until(() => frames - framesBefore > 90);
    expect(lines.slice(before)).toEqual([]);
    await child.stop();
  });

  function run(source: SourceSpec, options: Partial<SourceHandlerOptions> = {}) {
    const seen: SourceStatus['state'][] = [];
    const rtpPort = socket.address().port;
    const handler = new SourceHandler({
      ...{ host, logger, source, targets: { rtpPort, encoder, rawPipe: join(folder, 'cam0.raw') } },
      ...{ backoff: { firstMs: 50, maxMs: 200 }, ...options },
      onStatus: ({ state }) => {
        if (seen.at(-1) !== state) seen.push(state);
      },
    });
    socket.on('message', (packet) => {
      countFrames(packet);
      handler.noteFrames(frames);
    });
    const ending = new AbortController();
    const running = handler.run(ending.signal);
    const stop = async () => {
      ending.abort();
      await running;
    };
    return { handler, seen, stop };
  }

  function countFrames(packet: Buffer): void {
    if (((packet[1] ?? 0) & 0x80) !== 0) frames += 1;
  }

  function pipeline() {
    const found = host.running.get('capture-cam0');
    if (found === undefined) throw new Error('the pipeline does not run');
    return found;
  }
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
