import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createMediaPlane } from '../../sfu/create-plane.ts';
import { eventually } from '../../signaling/media-rig.fake.ts';
import {
  addonPath,
  loadNative,
  type NativeAddon,
  type NativeEvent,
  NativeEventType,
  SocketUse,
  TrackKind,
} from './native-binding.ts';
import { NativeCore } from './native-core.ts';

function addon(): NativeAddon {
  const native = loadNative();
  if (!('addon' in native)) throw new Error(native.reason);
  return native.addon;
}

const silent = pino({ level: 'silent' });

/** Threads of this process that are the add-on's. */
function datapathThreads(): number {
  return readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim() === 'datapath';
    } catch {
      return false; // it ended meanwhile
    }
  }).length;
}

describe('The native datapath', () => {
  it('ends its thread and accepts nothing afterwards', async () => {
    const before = datapathThreads();
    const core = new NativeCore(addon(), silent);
    expect(datapathThreads()).toBe(before + 1);
    const track = core.take();
    core.calls.openTrack(track, TrackKind.VIDEO, 90_000);
    await eventually(() => core.statistics.track(track) !== null, 'the track is there');
    core[Symbol.dispose]();
    core[Symbol.dispose]();
    expect(datapathThreads()).toBe(before);
    core.calls.closeTrack(track);
    expect(core.calls.addSocket(core.take(), '127.0.0.1', 0, SocketUse.SHARED, 0, 0)).toBeLessThan(0);
  });

  it('ends with the environment that opened it', async () => {
    const before = datapathThreads();
    const script = `
      const { Datapath } = require(${JSON.stringify(addonPath)});
      globalThis.kept = new Datapath(() => {});
      kept.addSocket(0x10000, '127.0.0.1', 0, 0, 0, 0);
      require('node:worker_threads').parentPort.postMessage('open');
      setInterval(() => {}, 1000);`;
    const worker = new Worker(script, { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    expect(datapathThreads()).toBe(before + 1);
    await worker.terminate();
    expect(datapathThreads()).toBe(before);
  });

  it('reports at once which addresses and ports it cannot bind', () => {
    using core = new NativeCore(addon(), silent);
    const port = core.calls.addSocket(core.take(), '127.0.0.1', 0, SocketUse.SHARED, 0, 0);
    expect(port).toBeGreaterThan(0);
    expect(core.calls.addSocket(core.take(), '127.0.0.1', port, SocketUse.SHARED, 0, 0)).toBe(-98);
    expect(core.calls.addSocket(core.take(), '192.0.2.1', 0, SocketUse.SHARED, 0, 0)).toBe(-99);
    expect(core.calls.addSocket(core.take(), 'localhost', 0, SocketUse.SHARED, 0, 0)).toBeLessThan(0);
    expect(core.calls.addCandidate(core.take(), 'camera.local', 9)).toBe(false);
  });

  it('reopens a port that was closed a moment ago', () => {
    using core = new NativeCore(addon(), silent);
    const reserved = core.take();
    const port = core.calls.addSocket(reserved, '127.0.0.1', 0, SocketUse.SHARED, 0, 0);
    let last = reserved;
    for (let i = 0; i < 50; i++) {
      core.calls.closeSocket(last);
      core.release(last);
      last = core.take();
      expect(core.calls.addSocket(last, '127.0.0.1', port, SocketUse.SHARED, 0, 0)).toBe(port);
    }
  });

  it('delivers the other events of a batch if one handler fails', () => {
    let deliver: (events: NativeEvent[]) => void = () => {};
    const fake = {
      Datapath: class {
        constructor(onEvents: (events: NativeEvent[]) => void) {
          deliver = onEvents;
        }
        now = () => 0;
      },
    } as unknown as NativeAddon;
    const core = new NativeCore(fake, silent);
    const heard: number[] = [];
    const broken = core.take(() => {
      throw new Error('a listener that fails');
    });
    const handles = [
      core.take(([, handle]) => heard.push(handle)),
      broken,
      core.take(([, handle]) => heard.push(handle)),
    ];
    deliver(handles.map((handle) => [NativeEventType.CONNECTED, handle, Buffer.alloc(0), 0, 0, false]));
    expect(heard).toEqual([handles[0], handles[2]]);
  });

  it('never reuses a handle while work of its kind may still be under way', () => {
    using core = new NativeCore(addon(), silent);
    const first = core.take();
    core.release(first);
    const second = core.take();
    expect(second).not.toBe(first);
    expect(second & 0xffff).toBe(first & 0xffff);
  });

  it('falls back to its twin, with the reason, if it cannot be loaded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'addon-'));
    try {
      const broken = join(folder, 'datapath.node');
      writeFileSync(broken, 'no program');
      expect(loadNative(join(folder, 'none.node'))).toMatchObject({ reason: expect.stringMatching(/g\+\+/) });
      const native = loadNative(broken);
      expect(native).toMatchObject({ reason: expect.any(String) });
      const lines: string[] = [];
      const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
      await using plane = await createMediaPlane({ logger }, native);
      await plane.listen({ udpPort: 0, listenAddresses: ['127.0.0.1'] });
      expect(plane.bound).toHaveLength(1);
      expect(lines.filter((line) => line.includes('native datapath'))).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('falls back to its twin, with what is missing, if it was built from other sources', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'addon-'));
    try {
      const older = join(folder, 'datapath.cjs');
      writeFileSync(
        older,
        'class Datapath { addSocket() {} close() {} }\nmodule.exports = { Datapath, fasterProfile: () => 0 };\n',
      );
      const native = loadNative(older);
      expect(native).toEqual({
        reason: expect.stringMatching(/lacks trimMemory, .*fingerprint.*build it again/),
      });
      const lines: string[] = [];
      const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
      await using plane = await createMediaPlane({ logger }, native);
      expect(plane.fingerprint.value).toMatch(/^[0-9A-F:]+$/);
      expect(lines.filter((line) => line.includes('build it again'))).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
