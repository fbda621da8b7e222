import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { type SpawnedProcess, SpawningChildHost } from '../../../common/child-host.fake.ts';
import type { ChildExit } from '../../../common/child-host.ts';
import { buildCapture } from '../../capture/kinds/index.ts';
import { ensureRawPipe } from '../../capture/raw-pipe.ts';
import type { CaptureCommand } from '../../capture/types.ts';
import { type LoggedFrame, parseFrameLog } from '../segment/frame-log.ts';
import type { TakeManifest } from '../take/manifest.ts';
import type { Take } from '../take/take.ts';

/** An RTP packet and when it arrived. */
export interface RtpArrival {
  readonly sequence: number;
  readonly marker: boolean;
  readonly atMs: number;
}

/** A real test source, a real receiver of its live stream, and a folder: what tests of recording need. */
export class RecordingRig implements AsyncDisposable {
  readonly folder: string;
  host = new SpawningChildHost();
  readonly logger: Logger = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
  readonly arrivals: RtpArrival[] = [];
  readonly #borrowed: boolean;
  readonly #socket = createSocket('udp4');

  private constructor(folder: string, borrowed: boolean) {
    this.#borrowed = borrowed;
    this.folder = folder;
  }

  /** @param folder the caller makes and removes it; without it there is one of its own */
  static async open(folder?: string): Promise<RecordingRig> {
    const rig = new RecordingRig(
      folder ?? (await mkdtemp(join(tmpdir(), 'recording-'))),
      folder !== undefined,
    );
    rig.#socket.on('message', (packet) => {
      const marker = ((packet[1] ?? 0) & 0x80) !== 0;
      rig.arrivals.push({ sequence: packet.readUInt16BE(2), marker, atMs: performance.now() });
    });
    rig.#socket.bind(0, '127.0.0.1');
    await once(rig.#socket, 'listening');
    rig.#socket.setRecvBufferSize(4 * 1024 * 1024);
    return rig;
  }

  /** Where the live stream is received. */
  get rtpPort(): number {
    return this.#socket.address().port;
  }

  get pipe(): string {
    return join(this.folder, 'cam0.raw');
  }

  /** framemd5 of everything the n-th capture pipeline captured. */
  witness(run = 1): string {
    return join(this.folder, `witness-${run}.framemd5`);
  }

  command(
    run = 1,
    size: { width: number; height: number } = { width: 320, height: 180 },
    pipe = this.pipe,
  ): CaptureCommand {
    const source = { kind: 'test', id: 'cam0', ...size, fps: 30, bitrateKbps: 500 } as const;
    const encoder = { encoder: 'libx264', reason: 'test' } as const;
    return buildCapture(source, {
      rtpPort: this.rtpPort,
      encoder,
      rawPipe: pipe,
      witness: this.witness(run),
    });
  }

  async startCapture(run = 1, pipe = this.pipe): Promise<SpawnedProcess> {
    await ensureRawPipe(this.host, pipe);
    const argv = this.command(run, undefined, pipe).argv;
    await this.host.spawn({ name: `capture-cam0-${run}`, argv, durable: true, stopTimeoutMs: 100 });
    return this.child(`capture-cam0-${run}`);
  }

  /** A running child by the beginning of its name. */
  child(prefix: string): SpawnedProcess {
    const found = [...this.host.running.values()].find(({ spec }) => spec.name.startsWith(prefix));
    if (found === undefined) throw new Error(`no child ${prefix} runs`);
    return found;
  }

  /** Makes children whose names begin like this start only when released. */
  holdBack(prefix: string): { release: () => void } {
    const gate = Promise.withResolvers<void>();
    const { host } = this;
    const spawn = host.spawn.bind(host);
    host.spawn = async (spec, onLine) => {
      if (spec.name.startsWith(prefix)) await gate.promise;
      return await spawn(spec, onLine);
    };
    return { release: () => gate.resolve() };
  }

  /** Children whose names begin like this survive their end until released, as if the kernel held them: they do nothing more. */
  holdInKernel(prefix: string): { release: () => void } {
    const { host } = this;
    const spawn = host.spawn.bind(host);
    const held: (() => void)[] = [];
    host.spawn = async (spec, onLine) => {
      const child = await spawn(spec, onLine);
      if (!spec.name.startsWith(prefix)) return child;
      held.push(() => this.child(spec.name).signal('SIGKILL'));
      const givenUp = Promise.withResolvers<ChildExit>();
      const stop = async () => {
        this.child(spec.name).signal('SIGSTOP');
        givenUp.resolve({ code: null, signal: 'SIGKILL' });
        return await givenUp.promise;
      };
      return { ...child, exited: Promise.race([child.exited, givenUp.promise]), stop };
    };
    return {
      release: () => {
        host.spawn = spawn;
        for (const end of held) end();
      },
    };
  }

  async witnessed(run = 1): Promise<readonly LoggedFrame[]> {
    return readFrames(this.witness(run));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.host.running.values()) child.signal('SIGCONT');
    await this.host[Symbol.asyncDispose]();
    this.#socket.close();
    if (!this.#borrowed) await rm(this.folder, { recursive: true, force: true });
  }
}

/** The frames of a framemd5 file that may still grow. */
export async function readFrames(file: string): Promise<readonly LoggedFrame[]> {
  const text = await readFile(file, 'utf8');
  return parseFrameLog(text.slice(0, text.lastIndexOf('\n') + 1)).frames;
}

/** Polls until a condition holds; the test's own time-out bounds it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A camera's record in a take. */
export function cameraOf(take: Take | TakeManifest, camera = 'cam0') {
  const manifest = 'manifest' in take ? take.manifest : take;
  const record = manifest.cameras[camera];
  if (record === undefined) throw new Error(`the take has no ${camera}`);
  return record;
}

/** Position of the first kept frame among the captured ones; throws if they are not one contiguous run. */
export function contiguousFrom(kept: readonly LoggedFrame[], captured: readonly LoggedFrame[]): number {
  const first = captured.findIndex(({ md5 }) => md5 === kept[0]?.md5);
  if (first < 0) throw new Error('the first frame kept was never captured');
  kept.forEach(({ md5 }, index) => {
    if (captured[first + index]?.md5 !== md5)
      throw new Error(`frame ${index} kept is not frame ${first + index} captured`);
  });
  return first;
}
