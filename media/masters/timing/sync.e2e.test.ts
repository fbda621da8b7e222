import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { buildCapture } from '../../capture/kinds/index.ts';
import { ensureRawPipe } from '../../capture/raw-pipe.ts';
import { readStrip } from '../../capture/strip.ts';
import { unixMsOfNtp } from '../../rtp/ntp.ts';
import { parseRtcp } from '../../rtp/rtcp.ts';
import { freeRtpPort } from '../../signaling/media-rig.fake.ts';
import { Recorder } from '../recorder/recorder.ts';
import { cameraOf, RecordingRig, until } from '../recorder/recording-rig.fake.ts';
import { parseFrameLog } from '../segment/frame-log.ts';
import type { Take } from '../take/take.ts';
import { TakeStore } from '../take/take-store.ts';

const [width, height, fps] = [320, 180, 30];
const frameMs = 1000 / fps;
const never = new AbortController().signal;

it('two cameras take their frames at the same moments, live and in their masters', {
  timeout: 120_000,
}, async () => {
  await using rig = await RecordingRig.open();
  await using left = await Camera.open(rig, 'left');
  // Half a frame and something later: in step by chance they are not.
  await sleep(frameMs * 10.4);
  await using right = await Camera.open(rig, 'right');
  const cameras = [left, right];
  const store = new TakeStore({ logger: rig.logger, roots: () => [rig.folder] });
  const take = await store.createTake('together', new Date());
  const stop = new AbortController();
  const recorders = cameras.map((camera) => camera.recorder(rig, take));
  for (const recorder of recorders) await recorder.prepare();
  const done = Promise.all(recorders.map((recorder) => recorder.run(stop.signal, never)));
  await until(() => cameras.every(({ name }) => cameraOf(take, name).state === 'recording'));
  await sleep(4000);
  stop.abort();
  await done;

  const live = offsets(left.live.capturedMs(), right.live.capturedMs());
  const masters = cameras.map(({ name }) => take.files(name, 1));
  const [leftFrames, rightFrames] = await Promise.all(
    masters.map(async ({ master, reference }) => await readMaster(master, reference)),
  );
  if (leftFrames === undefined || rightFrames === undefined) throw new Error('two masters expected');
  const recorded = offsets([...leftFrames.keys()], [...rightFrames.keys()]);
  const made = [...rightFrames].flatMap(([capturedMs, clockMs]) => {
    const other = leftFrames.get(capturedMs);
    return other === undefined ? [] : [wrapped(clockMs - other)];
  });
  for (const [what, all] of Object.entries({
    'live timestamps': live,
    masters: recorded,
    'burnt-in clocks': made,
  })) {
    process.stdout.write(`${what}: ${all.length} frames, median offset ${median(all).toFixed(2)} ms\n`);
    expect(all.length).toBeGreaterThan(fps);
    expect(median(all)).toBeLessThan(frameMs / 2);
  }
  // Timestamps do not depend on how busy the machine is.
  expect(Math.max(...live)).toBeLessThan(frameMs / 2);
  expect(Math.max(...recorded)).toBeLessThan(frameMs / 2);
});

/** A pipeline as a machine of its own would run it. */
class Camera implements AsyncDisposable {
  readonly name: string;
  readonly live: LiveReceiver;
  readonly #command: ReturnType<typeof buildCapture>;
  readonly #pipe: string;

  private constructor(name: string, live: LiveReceiver, pipe: string, rtpPort: number) {
    this.name = name;
    this.live = live;
    this.#pipe = pipe;
    const encoder = { encoder: 'libx264', reason: 'test' } as const;
    const source = { kind: 'test', id: name, width, height, fps, bitrateKbps: 500 } as const;
    this.#command = buildCapture(source, { rtpPort, encoder, rawPipe: pipe });
  }

  static async open(rig: RecordingRig, name: string): Promise<Camera> {
    const rtpPort = await freeRtpPort();
    const pipe = join(rig.folder, `${name}.raw`);
    const camera = new Camera(name, await LiveReceiver.open(rtpPort), pipe, rtpPort);
    await ensureRawPipe(rig.host, pipe);
    const { argv } = camera.#command;
    await rig.host.spawn({ name: `capture-${name}`, argv, durable: true, stopTimeoutMs: 100 });
    return camera;
  }

  recorder({ host, logger }: RecordingRig, take: Take): Recorder {
    return new Recorder(take, {
      host,
      logger,
      camera: this.name,
      pipe: () => this.#pipe,
      raw: this.#command.raw,
      codec: 'ffv1',
      strategy: 'direct',
      strategyReason: 'test',
      threads: 1,
      reserveBytes: 1,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.live[Symbol.asyncDispose]();
  }
}

/** Takes a live stream and its sender reports, as a hub does. */
class LiveReceiver implements AsyncDisposable {
  readonly #sockets: readonly Socket[];
  readonly #timestamps = new Set<number>();
  #report: { unixMs: number; timestamp: number } | null = null;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  static async open(rtpPort: number): Promise<LiveReceiver> {
    const sockets = [rtpPort, rtpPort + 1].map((port) => createSocket('udp4').bind(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'listening')));
    const receiver = new LiveReceiver(sockets);
    sockets[0]?.on('message', (packet) => receiver.#timestamps.add(packet.readUInt32BE(4)));
    sockets[1]?.on('message', (compound) => {
      for (const report of parseRtcp(compound)) {
        if (report.kind !== 'sender-report') continue;
        receiver.#report = { unixMs: unixMsOfNtp(report.ntp), timestamp: report.rtpTimestamp };
      }
    });
    return receiver;
  }

  /** When each frame was captured, in Unix time. */
  capturedMs(): number[] {
    const report = this.#report;
    if (report === null) throw new Error('no sender report came');
    return [...this.#timestamps].map(
      (timestamp) => report.unixMs + ((timestamp - report.timestamp) | 0) / 90,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
  }
}

/** Burnt-in clock of each frame of a master, by its time of capture in Unix milliseconds. */
async function readMaster(master: string, reference: string): Promise<ReadonlyMap<number, number>> {
  const log = parseFrameLog(await readFile(reference, 'utf8'));
  const { stdout } = await promisify(execFile)(
    'ffmpeg',
    [
      '-nostdin',
      '-loglevel',
      'error',
      '-i',
      master,
      '-fps_mode',
      'passthrough',
      '-pix_fmt',
      'gray',
      '-f',
      'rawvideo',
      '-',
    ],
    { encoding: 'buffer', maxBuffer: 1024 ** 3 },
  );
  const frames = new Map<number, number>();
  log.frames.forEach(({ pts }, index) => {
    const data = stdout.subarray(index * width * height, (index + 1) * width * height);
    const reading = data.length === 0 ? undefined : readStrip({ data, width, height });
    if (reading === undefined) throw new Error(`frame ${index} of ${master} shows no strip`);
    frames.set(Math.round(pts * log.timeBase * 1000), reading.clockMs);
  });
  return frames;
}

/** How far each frame of one camera lies from the nearest of the other, while both ran. */
function offsets(left: readonly number[], right: readonly number[]): number[] {
  const from = Math.max(Math.min(...left), Math.min(...right)) - frameMs / 2;
  const to = Math.min(Math.max(...left), Math.max(...right)) + frameMs / 2;
  return right
    .filter((ms) => ms > from && ms < to)
    .map((ms) => Math.min(...left.map((other) => Math.abs(other - ms))));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Distance of two readings of the burnt-in clock, which counts to 65536. */
function wrapped(difference: number): number {
  const ms = Math.abs(difference) % 65_536;
  return Math.min(ms, 65_536 - ms);
}
