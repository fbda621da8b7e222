import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../common/errors.ts';
import type { BlackBox } from '../black-box.ts';
import type { Fetch } from '../channel/channel-client.ts';
import type { Release } from '../channel/manifest.ts';
import { OtaError } from '../errors.ts';
import type { HealthProbes } from '../health/health-gate.ts';
import { installActivity } from '../install/activity.ts';
import { preflight } from '../install/preflight.ts';
import type { Progress, Rauc } from '../install/rauc.ts';
import { replaceFile } from '../store.ts';
import { compareVersions } from '../version.ts';
import { takeBaseline } from './trial.ts';

/** One bundle to install now. */
export interface InstallPlan {
  /** Path, or http(s) URL. */
  readonly source: string;
  /** Null if only the bundle itself knows. */
  readonly version: string | null;
  readonly sizeBytes: number | null;
  readonly allowDowngrade: boolean;
}

/** What an installation needs. */
export interface InstallationOptions {
  readonly box: BlackBox;
  readonly rauc: Rauc;
  readonly fetch: Fetch;
  readonly probes: HealthProbes;
  readonly folder: string;
  readonly installedVersion: string;
  readonly compatible: string;
  readonly stallMs: number;
  readonly preflightMs: number;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Records the baseline, checks the bundle, and installs it into the other slot, which is armed afterwards. Every stage goes
 * into the black box, if an attempt was begun.
 * @throws {OtaError} why it was refused or failed; the committed slot is untouched then
 */
export async function install(
  plan: InstallPlan,
  options: InstallationOptions,
  signal: AbortSignal,
): Promise<void> {
  const { box, rauc } = options;
  const leave = join(options.folder, 'allow-downgrade');
  await staged(box, 'baseline', () => takeBaseline(options.folder, options.probes, signal));
  await staged(box, 'look at the bundle', () => inspect(plan, options, signal));
  await rm(leave, { force: true });
  if (plan.allowDowngrade) await replaceFile(leave, plan.version ?? '*');
  try {
    await staged(box, 'install', () =>
      rauc.install(plan.source, {
        stallMs: options.stallMs,
        onProgress: options.onProgress,
        signal,
        activity: () => installActivity(),
      }),
    );
  } finally {
    await rm(leave, { force: true });
  }
}

async function inspect(
  plan: InstallPlan,
  options: InstallationOptions,
  signal: AbortSignal,
): Promise<string> {
  if (/^https?:/.test(plan.source)) {
    const timeouts = { expectedBytes: plan.sizeBytes, timeoutMs: options.preflightMs };
    const { sizeBytes } = await preflight(options.fetch, plan.source, signal, timeouts);
    return `${sizeBytes} bytes`;
  }
  const info = await options.rauc.inspect(plan.source, signal);
  if (info.compatible !== options.compatible) {
    throw new OtaError(
      'BUNDLE_WRONG_BOARD',
      `the bundle is for ${info.compatible}, this is ${options.compatible}`,
    );
  }
  if (info.version === null)
    throw new OtaError('BUNDLE_FORMAT', 'the bundle does not say which version it is');
  if (!plan.allowDowngrade && compareVersions(info.version, options.installedVersion) < 0) {
    throw new OtaError('BUNDLE_OLDER', `${info.version} is older than ${options.installedVersion}`);
  }
  await options.box.amend({ version: info.version });
  return info.version;
}

/** Does a step and notes its result. */
async function staged(box: BlackBox, name: string, step: () => Promise<unknown>): Promise<void> {
  try {
    const detail = await step();
    await box.stage(name, true, typeof detail === 'string' ? detail : null);
  } catch (error) {
    await box.stage(name, false, messageOf(error));
    throw error;
  }
}

/** The local path of a `file:` URL or an absolute path below one of the folders; null for anything else. */
function localBundle(url: string, folders: readonly string[]): string | null {
  let path = url;
  if (url.startsWith('file:')) {
    try {
      path = fileURLToPath(url);
    } catch {
      // A file URL with a host, or badly escaped: not one of our paths.
      return null;
    }
  }
  const inside = folders.some((folder) => path.startsWith(`${folder}/`)) && !path.split('/').includes('..');
  return inside && path.endsWith('.raucb') ? path : null;
}

/** @throws {OtaError} `BUNDLE_NOT_FOUND` if it is neither a web address nor a bundle in one of the folders */
export function planOfUrl(url: string, allowDowngrade: boolean, folders: readonly string[]): InstallPlan {
  const source = /^https?:\/\/[^/]/.test(url) ? url : localBundle(url, folders);
  if (source === null) {
    throw new OtaError('BUNDLE_NOT_FOUND', 'this is neither a web address nor a bundle on a medium');
  }
  return { source, version: null, sizeBytes: null, allowDowngrade };
}

/** The plan to install a release. */
export function planOf({ url, version, sizeBytes }: Release, allowDowngrade: boolean): InstallPlan {
  return { source: url, version, sizeBytes, allowDowngrade };
}
