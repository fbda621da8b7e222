import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { makeFolder, open, removeFile } from '../../common/disk-fs.ts';
import { describeError } from '../../common/errors.ts';
import type { ChildHost } from '../../media/index.ts';
import type { HealthProbes, Probe } from '../../ota/index.ts';
import type { HubLink } from '../contract/index.ts';
import type { MediaLink } from '../live/index.ts';
import type { Pipelines } from '../sources/index.ts';
import { ApplianceError } from '../system/appliance-error.ts';

/** The parts that the probes ask. */
export interface ProbeParts {
  readonly host: ChildHost;
  readonly pipelines: Pipelines;
  readonly media: MediaLink;
  /** The link to the hub; null on a hub. */
  readonly cameraRole: () => { readonly link: HubLink } | null;
  /** Where the page is served; null while it is not. */
  readonly reach: () => { readonly localUrl: string } | null;
  /** Where the masters are kept. */
  readonly takesRoot: () => string;
}

const works: Probe = { ok: true, detail: null };
const absent: Probe = { ok: null, detail: null };
const fails = (detail: string): Probe => ({ ok: false, detail });
const sampleBytes = 1024 * 1024;
/** No device of ours is older; a clock before it was never set. */
const earliestYear = 2026;

/** Checks what a user would miss, for the verdict on a trial boot. */
export function updateProbes(parts: ProbeParts): HealthProbes {
  const { pipelines, media, cameraRole, reach } = parts;
  return {
    cameras: async () =>
      Object.fromEntries(pipelines.status().map(({ id, state }) => [id, state === 'running'])),
    selfView: async (signal) => {
      const feed = media.feeds().find(({ state }) => state === 'online');
      if (!media.connected) return fails('the media process does not answer');
      if (feed === undefined) return absent;
      // It loads a WebRTC client of 37 MB, which is needed only at an update.
      const { viewSelf } = await import('../live/self-view.ts');
      return await viewSelf(media, feed.id, signal);
    },
    recorder: () => writeSample(parts.takesRoot()),
    hubLink: async () => {
      const side = cameraRole();
      if (side === null) return absent;
      return side.link.state === 'connected' ? works : fails(side.link.reason ?? side.link.state);
    },
    page: async (signal) => {
      const url = reach()?.localUrl;
      if (url === undefined) return fails('nothing listens');
      for (const path of ['/healthz', '/']) {
        const answer = await fetch(`${url}${path}`, { signal, redirect: 'manual' });
        await answer.body?.cancel();
        if (answer.status >= 400) return fails(`${path} answered ${answer.status}`);
      }
      return works;
    },
    clock: async () => {
      const now = new Date();
      return now.getUTCFullYear() >= earliestYear ? works : fails(now.toISOString());
    },
    failedUnits: (signal) => failedUnits(parts.host, signal),
  };
}

/** Writes and syncs a little where the masters go, and removes it again. */
async function writeSample(folder: string): Promise<Probe> {
  const path = join(folder, '.update-probe');
  try {
    // A disk that has just been plugged in has no such folder yet.
    await makeFolder(folder);
    await writeAndSync(path, randomBytes(sampleBytes));
    await removeFile(path);
    return works;
  } catch (error) {
    // The next probe overwrites what is left.
    return fails(describeError(error));
  }
}

async function writeAndSync(path: string, bytes: Buffer): Promise<void> {
  await using file = await open(path, 'w');
  await file.write(bytes, 0, bytes.length, 0);
  await file.datasync();
}

async function failedUnits(host: ChildHost, signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  const argv = ['systemctl', '--failed', '--no-legend', '--plain'] as const;
  await using child = await host.spawn({ name: 'failed-units', argv: [...argv] }, ({ stream, text }) => {
    if (stream === 'stdout') lines.push(text);
  });
  const stop = () => void child.stop();
  signal.addEventListener('abort', stop, { once: true });
  const { code } = await child.exited;
  signal.removeEventListener('abort', stop);
  if (code !== 0) throw new ApplianceError('PROGRAM_FAILED', `systemctl ended with ${code}`);
  return lines.map((line) => line.trim().split(/\s+/)[0] ?? '').filter((unit) => unit !== '');
}
