import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Release } from '../channel/manifest.ts';
import { OtaError } from '../errors.ts';
import { BundleCache, type CachedBundle } from './bundle-cache.ts';
import { type Fleet, RolloutConductor } from './conductor.ts';
import type { Member } from './rollout.ts';
import { serveBundle } from './serve-bundle.ts';

const logger = pino({ level: 'silent' });
const never = new AbortController().signal;
const content = randomBytes(300_000);
const sha256 = createHash('sha256').update(content).digest('hex');
const servers: Server[] = [];
let folder: string;
let origin: string;
/** What the origin does with the next requests: `break` ends the answer after a third. */
let mood: 'good' | 'break' | 'silent' | 'wrong' = 'good';
let ranges: (string | undefined)[] = [];

async function listen(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler as never);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conductor-'));
  mood = 'good';
  ranges = [];
  origin = await listen((request, response) => {
    ranges.push(request.headers.range);
    if (mood === 'silent') return;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = mood === 'wrong' ? randomBytes(content.length) : content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length });
    if (mood === 'break') response.write(body.subarray(0, 100_000), () => response.destroy());
    else response.end(body);
  });
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await rm(folder, { recursive: true, force: true });
});

const release = (): Release => ({
  version: '1.1.0',
  compatible: 'board',
  minimumVersion: null,
  url: `${origin}/1.1.0.raucb`,
  sha256,
  sizeBytes: content.length,
  notes: '',
  rolloutPercent: 100,
});
const cacheOf = (verify: () => Promise<void> = async () => {}) =>
  new BundleCache({
    folder: join(folder, 'cache'),
    fetch,
    verify,
    logger,
    // Short only where the server is meant to stall: a busy machine is slow, not silent.
    stallMs: mood === 'silent' ? 300 : 20_000,
  });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the cache', () => {
  it('downloads once and then serves from disk, even after a restart', async () => {
    const cache = cacheOf();
    await cache.ensure(release(), never);
    await cache.ensure(release(), never);
    expect(cache.downloads).toBe(1);
    const restarted = cacheOf();
    await restarted.ensure(release(), never);
    expect(restarted.downloads).toBe(0);
    expect(ranges).toHaveLength(1);
  });

  it('resumes an interrupted download', async () => {
    const cache = cacheOf();
    mood = 'break';
    await expect(cache.ensure(release(), never)).rejects.toThrow(code('DOWNLOAD_FAILED'));
    mood = 'good';
    // How much of it arrived is up to the network; here a third did.
    await writeFile(join(folder, 'cache', `${sha256}.raucb.part`), content.subarray(0, 100_000));
    await cache.ensure(release(), never);
    expect(ranges).toEqual([undefined, 'bytes=100000-']);
  });

  it('serves nothing with a wrong hash or signature, and fetches it again', async () => {
    const cache = cacheOf();
    mood = 'wrong';
    await expect(cache.ensure(release(), never)).rejects.toThrow(code('BUNDLE_CORRUPT'));
    expect(cache.current).toBeNull();
    mood = 'good';
    expect((await cache.ensure(release(), never)).sha256).toBe(sha256);
    const strict = cacheOf(() => Promise.reject(new OtaError('BUNDLE_WRONG_KEY', 'a stranger')));
    await expect(strict.ensure(release(), never)).rejects.toThrow(code('BUNDLE_WRONG_KEY'));
  });

  it('does not wait for a silent server', async () => {
    mood = 'silent';
    await expect(cacheOf().ensure(release(), never)).rejects.toThrow(code('DOWNLOAD_STALLED'));
  });

  it('does not retry forever if the server rejects every part', async () => {
    const url = await listen((_request, response) => response.writeHead(416).end());
    await expect(cacheOf().ensure({ ...release(), url }, never)).rejects.toThrow(code('DOWNLOAD_FAILED'));
  });

  it('rejects a bundle that does not fit', async () => {
    const huge = { ...release(), sizeBytes: 2 ** 50 };
    await expect(cacheOf().ensure(huge, never)).rejects.toThrow(code('DISK_FULL'));
  });
});

describe('serving the bundle', () => {
  it('answers in full, in parts, and to HEAD', async () => {
    const cache = cacheOf();
    const bundle = await cache.ensure(release(), never);
    const url = await listen((request, response) => void serveBundle(bundle, request, response));
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(content)).toBe(true);
    const part = await fetch(url, { headers: { range: 'bytes=100-199' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes 100-199/${content.length}`,
    ]);
    expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(100, 200))).toBe(true);
    const changed = await fetch(url, { headers: { range: 'bytes=0-3', 'if-range': '"other"' } });
    expect(changed.status).toBe(200);
    await changed.arrayBuffer();
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe(String(content.length));
    expect((await fetch(url, { headers: { range: 'bytes=999999-' } })).status).toBe(416);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    const none = await listen((request, response) => void serveBundle(null, request, response));
    expect((await fetch(none)).status).toBe(404);
  });

  it('says if its disk fails, and not if a camera went away or the cache has replaced the bundle', async () => {
    const bundle = await cacheOf().ensure(release(), never);
    const paths = [folder, join(folder, 'replaced'), bundle.path];
    const outcomes: unknown[] = [];
    const url = await listen((request, response) => {
      const path = paths[outcomes.length] ?? '';
      void serveBundle({ ...bundle, path }, request, response).then(
        () => outcomes.push('served'),
        (error: unknown) => outcomes.push(error),
      );
      if (path === bundle.path) response.socket?.resetAndDestroy();
    });
    for (const count of [1, 2, 3]) {
      await expect(fetch(url).then((answer) => answer.arrayBuffer())).rejects.toThrow();
      await vi.waitFor(() => expect(outcomes).toHaveLength(count));
    }
    expect(outcomes).toMatchObject([{ code: 'EISDIR' }, 'served', 'served']);
  });
});

class Refusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`refused by ${code}`);
    this.code = code;
  }
}

/** Three cameras that fetch the bundle on request, and come back with its version or with an error. */
class FleetOfThree implements Fleet {
  readonly order: string[] = [];
  readonly views = new Map<string, Member>();
  bad: string | null = null;
  refusals: string[] = [];
  take = false;

  constructor() {
    for (const id of ['cam-a', 'cam-b', 'cam-c']) {
      this.views.set(id, {
        id,
        name: id,
        online: true,
        awayMs: 0,
        version: '1.0.0',
        compatible: 'board',
        recording: false,
        update: { state: 'idle', reason: null, attempt: null },
      });
    }
  }
  members = () => [...this.views.values()];
  takeRunning = () => this.take;
  async install(id: string, { path, version }: CachedBundle) {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw new Refusal(refusal);
    this.order.push(id);
    expect((await readFile(path)).equals(content)).toBe(true);
    const view = this.views.get(id) as Member;
    const attempt = { at: `after ${this.order.length}`, ok: this.bad !== id, reason: 'no frames from cam0' };
    const changed = { ...view, update: { ...view.update, attempt } };
    this.views.set(id, this.bad === id ? changed : { ...changed, version });
  }
}

describe('a rollout to three cameras', () => {
  const conductorOf = (fleet: Fleet, cache: BundleCache) =>
    new RolloutConductor({
      fleet,
      cache,
      folder,
      logger,
      now: () => new Date(),
      timing: { intervalMs: 5, retryMs: 20, retellMs: 20 },
    });
  const request = (canary: string | null = null) => ({ canary, hub: null });

  async function conduct(
    fleet: FleetOfThree,
    canary: string | null,
    until: (conductor: RolloutConductor) => boolean,
  ) {
    const cache = cacheOf();
    const conductor = conductorOf(fleet, cache);
    const controller = new AbortController();
    const running = conductor.run(controller.signal);
    await conductor.start(release(), fleet.members(), request(canary));
    await vi.waitFor(() => expect(until(conductor)).toBe(true), { timeout: 20_000 });
    controller.abort();
    await running;
    return { conductor, cache };
  }
  const phase = (conductor: RolloutConductor) => conductor.status().rollout?.phase;

  it('updates the canary first, then the others, from one download', async () => {
    const fleet = new FleetOfThree();
    const { cache } = await conduct(fleet, 'cam-b', (each) => phase(each) === 'done');
    expect(fleet.order).toEqual(['cam-b', 'cam-a', 'cam-c']);
    expect(cache.downloads).toBe(1);
    expect(ranges).toHaveLength(1);
  });

  it('halts on a bad canary and retries it when resumed', async () => {
    const fleet = new FleetOfThree();
    fleet.bad = 'cam-a';
    const { conductor } = await conduct(fleet, null, (each) => phase(each) === 'halted');
    expect(fleet.order).toEqual(['cam-a']);
    expect(conductor.status().rollout?.reason).toBe('the canary cam-a failed: no frames from cam0');
    fleet.bad = null;
    const controller = new AbortController();
    const running = conductor.run(controller.signal);
    await vi.waitFor(() => expect(phase(conductor)).toBe('halted'));
    await conductor.resume();
    await vi.waitFor(() => expect(phase(conductor)).toBe('done'), { timeout: 20_000 });
    controller.abort();
    await running;
    expect(fleet.order).toEqual(['cam-a', 'cam-a', 'cam-b', 'cam-c']);
  });

  it('waits for the end of a take', async () => {
    const fleet = new FleetOfThree();
    fleet.take = true;
    await conduct(fleet, null, (each) => each.status().rollout?.reason === 'a take is running');
    expect(fleet.order).toEqual([]);
  });

  it('asks cameras again that were away or busy, and halts on a refusal', async () => {
    const patient = new FleetOfThree();
    patient.refusals = ['MEMBER_UNREACHABLE', 'TAKE_RUNNING', 'UPDATE_BUSY'];
    await conduct(patient, null, (each) => phase(each) === 'done');
    expect(patient.order).toEqual(['cam-a', 'cam-b', 'cam-c']);
    const strict = new FleetOfThree();
    strict.refusals = ['WRONG_ROLE'];
    const { conductor } = await conduct(strict, null, (each) => phase(each) === 'halted');
    expect(conductor.status().rollout?.reason).toBe('the canary cam-a failed: refused by WRONG_ROLE');
  });

  it('halts on a bundle that differs from its announcement, before it asks any camera', async () => {
    mood = 'wrong';
    const fleet = new FleetOfThree();
    const { conductor } = await conduct(fleet, null, (each) => phase(each) === 'halted');
    expect(conductor.status().rollout?.reason).toBe('the bundle is not the one that was announced');
    expect(fleet.order).toEqual([]);
  });

  it('continues where it was after a restart of the hub', async () => {
    const fleet = new FleetOfThree();
    await conduct(fleet, null, () => fleet.order.length >= 1);
    const cache = cacheOf();
    const again = conductorOf(fleet, cache);
    const controller = new AbortController();
    const running = again.run(controller.signal);
    await vi.waitFor(() => expect(phase(again)).toBe('done'), { timeout: 20_000 });
    controller.abort();
    await running;
    expect(fleet.order).toEqual(['cam-a', 'cam-b', 'cam-c']);
    expect(cache.downloads).toBe(0);
  });

  it('does not start twice or without cameras; unreadable state starts over', async () => {
    const fleet = new FleetOfThree();
    fleet.take = true;
    const conductor = conductorOf(fleet, cacheOf());
    await expect(conductor.start(release(), [], request())).rejects.toThrow(code('NOTHING_TO_INSTALL'));
    await conductor.start(release(), fleet.members(), request());
    const again = conductor.start(release(), fleet.members(), request());
    await expect(again).rejects.toThrow(code('ROLLOUT_RUNNING'));
    await expect(conductor.chooseCanary('cam-x')).rejects.toThrow(code('CANARY_REFUSED'));
    await conductor.chooseCanary('cam-c');
    expect(conductor.status().rollout?.order[0]).toBe('cam-c');
    await conductor.cancel();
    await conductor.start(release(), fleet.members(), request());
    await writeFile(join(folder, 'rollout.json'), 'damaged');
    const after = conductorOf(fleet, cacheOf());
    const controller = new AbortController();
    const running = after.run(controller.signal);
    await vi.waitFor(() => expect(after.status().rollout).toBeNull());
    controller.abort();
    await running;
  });

  it('updates one camera alone or within the running rollout', async () => {
    const fleet = new FleetOfThree();
    fleet.take = true;
    const conductor = conductorOf(fleet, cacheOf());
    const [a, b] = fleet.members() as [Member, Member, Member];
    await conductor.include(release(), a);
    await conductor.include(release(), b);
    expect(conductor.status().rollout).toMatchObject({ order: ['cam-a', 'cam-b'], canary: 'cam-a' });
    const other = { ...release(), version: '1.2.0' };
    await expect(conductor.include(other, b)).rejects.toThrow(code('ROLLOUT_RUNNING'));
    await conductor.drop('cam-a');
    expect(conductor.status().rollout?.members['cam-a']?.state).toBe('skipped');
  });

  it('a camera that leaves while the disk is read-only ends no process', async () => {
    const fleet = new FleetOfThree();
    fleet.take = true;
    const conductor = conductorOf(fleet, cacheOf());
    await conductor.include(release(), fleet.members()[0] as Member);
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    await expect(conductor.drop('cam-a')).resolves.toBeUndefined();
  });

  it('accepts a bundle from a removable disk', async () => {
    const path = join(folder, 'stick.raucb');
    await writeFile(path, content);
    const bundle = await cacheOf().ensure({ ...release(), url: path }, never);
    expect((await readFile(bundle.path)).equals(content)).toBe(true);
    expect(bundle.path).not.toBe(path);
  });
});
