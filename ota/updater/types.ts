import type { Logger } from 'pino';
import type { ChildHost } from '../../common/child-host.ts';
import type { Attempt } from '../black-box.ts';
import type { Fetch } from '../channel/channel-client.ts';
import type { GateTiming, HealthProbes } from '../health/health-gate.ts';
import type { SlotName } from '../selector/slot.ts';

/** The owner's settings in force now. */
export interface UpdateSettings {
  readonly channel: string;
  readonly install: 'ask' | 'idle' | 'never';
  /** Folder of the channel manifests; null: no channel. */
  readonly url: string | null;
  readonly window: string | null;
  readonly checkIntervalHours: number;
  readonly allowDowngrade: boolean;
  readonly hawkbitUrl: string | null;
  readonly hawkbitTokenFile: string | null;
}

/** Paths on the device; tests use others. */
export interface UpdatePaths {
  readonly autoboot: string;
  readonly selectorState: string;
  readonly cmdline: string;
  readonly systemConf: string;
  readonly channelKeys: string;
  /** Folders in which media are mounted, or bundles are put by hand. */
  readonly offline: readonly string[];
}

/** The paths on a device. */
export const devicePaths: UpdatePaths = {
  autoboot: '/boot/rushlight/autoboot.txt',
  selectorState: '/data/system/selector/state',
  cmdline: '/proc/cmdline',
  systemConf: '/etc/rauc/system.conf',
  channelKeys: '/etc/rauc/channel.pub',
  offline: ['/media', '/boot/rushlight', '/data/rushlight/bundles'],
};

/** Times of the updater, in milliseconds. */
export interface UpdateTiming {
  readonly gate: GateTiming;
  /** Between two checks for something to install. */
  readonly tickMs: number;
  /** From the start to the first check of the channel. */
  readonly firstCheckMs: number;
  /** An installation without progress for this long is given up. */
  readonly stallMs: number;
  readonly preflightMs: number;
  /** From an interrupted installation, or from the start, until it is tried again by itself. */
  readonly retryMs: number;
}

/** Everything the updater needs from the appliance. */
export interface UpdaterOptions {
  readonly children: ChildHost;
  readonly logger: Logger;
  readonly fetch: Fetch;
  /** The updater's own folder on the data partition. */
  readonly folder: string;
  readonly installedVersion: string;
  readonly deviceId: string;
  readonly settings: () => UpdateSettings;
  /** Whether a take runs on this machine (on a hub: on any camera). */
  readonly takeRunning: () => boolean;
  readonly probes: HealthProbes;
  /** Runs a task that must not overlap with another one or a restart. */
  readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>;
  /** Restarts the machine; `trial`: into the slot that was armed. */
  readonly restart: (trial: boolean) => Promise<void>;
  readonly now: () => Date;
  /** Whether the wall clock was set since the start. */
  readonly clockIsSet: () => boolean;
  readonly paths?: UpdatePaths;
  readonly timing?: Partial<UpdateTiming>;
}

/** A slot for the status. */
export interface SlotView {
  readonly name: SlotName;
  readonly booted: boolean;
  readonly state: 'good' | 'bad' | 'trial' | 'empty' | 'unknown';
  readonly version: string | null;
}

/** The state of updates; has the shape of `Update` in the API's contract. */
export interface UpdateView {
  readonly installedVersion: string;
  /** Boards whose bundles fit, by RAUC's names; null if nothing can be installed. */
  readonly compatible: string | null;
  readonly latestVersion: string | null;
  readonly releaseNotes: string | null;
  readonly state:
    | 'unsupported'
    | 'idle'
    | 'deferred'
    | 'downloading'
    | 'installing'
    | 'armed'
    | 'trial'
    | 'rolled-back';
  readonly progressPercent: number | null;
  readonly reason: string | null;
  readonly slots: SlotView[];
  readonly lastAttempt: {
    readonly version: string;
    readonly at: string;
    readonly outcome: NonNullable<Attempt['outcome']>;
    readonly reason: string | null;
    readonly stages: { name: string; at: string; ok: boolean; detail: string | null }[];
  } | null;
}

/** What someone asks for; has the shape of `UpdateInstall` in the API's contract. */
export interface InstallRequest {
  readonly url?: string | undefined;
  readonly force: boolean;
  readonly allowDowngrade: boolean;
}
