import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { plainChildHost } from '../child-host.fake.ts';
import type { Health } from '../health/health.ts';
import type { HealthProbes } from '../health/health-gate.ts';
import { renderAutoboot } from '../selector/autoboot.ts';
import { otherSlot, type SlotName } from '../selector/slot.ts';
import type { UpdaterOptions, UpdateSettings, UpdateTiming } from './types.ts';
import { Updater } from './updater.ts';

const selector = join(import.meta.dirname, '../../overlays/rootfs/usr/libexec/rushlight/selector');
const works = { ok: true, detail: null };

/** A machine on which everything works. */
export const healthy: Health = {
  cameras: { cam0: true },
  selfView: works,
  recorder: works,
  hubLink: { ok: null, detail: null },
  page: works,
  clock: works,
  failedUnits: [],
};

/**
 * A machine with two slots: firmware, RAUC and slots are simulated, the boot selector is the device's own shell script, and the
 * updater is the real one, started again at every boot.
 */
export class FakeMachine implements AsyncDisposable {
  readonly root: string;
  booted: SlotName = 'A';
  /** Versions and health of the systems in the slots. */
  slots: Record<SlotName, { version: string; health: () => Health; boots: boolean }>;
  /** What the next bundle contains. */
  bundle = { version: '1.1.0', compatible: 'board', health: () => healthy, boots: true };
  /** Shell that RAUC runs instead of installing. */
  raucFails: string | null = null;
  take = false;
  /** Happens before each task that must not overlap with others. */
  beforeTask: () => void = () => {};
  id = 'device-1';
  /** Overrides the short times of unit tests. */
  timing: Partial<UpdateTiming> = {};
  settings: UpdateSettings = {
    channel: 'stable',
    install: 'ask',
    url: null,
    window: null,
    checkIntervalHours: 24,
    allowDowngrade: false,
    hawkbitUrl: null,
    hawkbitTokenFile: null,
  };
  restarts: ('trial' | 'plain')[] = [];
  updater: Updater | null = null;
  #running: { controller: AbortController; done: Promise<void> } | null = null;
  #env: Record<string, string> = {};

  private constructor(root: string) {
    this.root = root;
    this.slots = {
      A: { version: '1.0.0', health: () => healthy, boots: true },
      B: { version: '0.9.0', health: () => healthy, boots: true },
    };
  }

  /** @param streams whether RAUC really reads bundles from http addresses, which then have to be those of `bundle.fake.ts` */
  static async create({ streams = false } = {}): Promise<FakeMachine> {
    const machine = new FakeMachine(await mkdtemp(join(tmpdir(), 'machine-')));
    await machine.#layOut();
    if (streams) await writeFile(machine.path('streams'), '');
    return machine;
  }

  path = (name: string) => join(this.root, name);

  async #layOut(): Promise<void> {
    for (const folder of ['config', 'state', 'ota', 'media', 'bin']) await mkdir(this.path(folder));
    await writeFile(this.path('config/autoboot.txt'), renderAutoboot('A'));
    await writeFile(this.path('system.conf'), '[system]\ncompatible=board\n');
    this.#env = {
      PATH: `${this.path('bin')}:${process.env.PATH}`,
      SELECTOR_CONFIG_DIR: this.path('config'),
      SELECTOR_STATE_DIR: this.path('state'),
      SELECTOR_CMDLINE: this.path('cmdline'),
    };
    // Bundles of `bundle.fake.ts` are read and verified whole, by Range if they are streamed; others are accepted unread.
    const check = `"${process.execPath}" "${join(import.meta.dirname, 'bundle.fake.ts')}" "$2"`;
    const rauc = [
      '#!/bin/sh',
      'verify() { echo "LastError: signature verification failed" >&2; exit 1; }',
      'case "$1" in',
      `info) if head -c 14 "$2" | grep -q RUSHLIGHT-FAKE; then ${check} || verify; fi; cat ${this.path('info.json')} ;;`,
      `status) case "\${2-}" in`,
      `  mark-good) ${selector} set-state "$(${selector} get-current)" good ;;`,
      `  mark-bad) ${selector} set-state "$(${selector} get-current)" bad ;;`,
      `  mark-active) [ "$(${selector} get-current)" = A ] && ${selector} set-primary B || ${selector} set-primary A ;;`,
      '  *) echo nothing; exit 1 ;; esac ;;',
      `install) [ "$(${selector} get-current)" = A ] && other=B || other=A`,
      '  echo "  0% Installing"',
      `  ${selector} set-state $other bad || { echo "LastError: Failed marking slot non-bootable"; exit 1; }`,
      `  case "$2" in http*) if [ -e ${this.path('streams')} ]; then ${check} || verify; fi ;; esac`,
      `  if [ -e ${this.path('fail')} ]; then . ${this.path('fail')}; fi`,
      '  echo " 60% Copying image"',
      `  echo "$other" > ${this.path('written')}`,
      `  ${selector} set-primary $other`,
      '  echo "100% Installing done." ;;',
      'esac',
      '',
    ];
    await writeFile(this.path('bin/rauc'), rauc.join('\n'));
    for (const stub of ['systemctl', 'journalctl'])
      await writeFile(this.path(`bin/${stub}`), '#!/bin/sh\necho line\n');
    for (const program of ['rauc', 'systemctl', 'journalctl'])
      await chmod(this.path(`bin/${program}`), 0o755);
  }

  /** Power on: the early-boot agent, then the product, if the slot boots at all. */
  async boot(slot: SlotName = 'A'): Promise<void> {
    this.booted = slot;
    await writeFile(this.path('cmdline'), `rauc.slot=${slot}\n`);
    if (!this.slots[slot].boots) return;
    execFileSync(selector, ['early'], { env: { ...process.env, ...this.#env } });
    await this.startProduct();
  }

  async startProduct(): Promise<void> {
    await this.#prepareRauc();
    const controller = new AbortController();
    const updater = new Updater(this.#options());
    this.updater = updater;
    this.#running = { controller, done: updater.run(controller.signal) };
    await this.until(() => updater.status().state !== 'unsupported');
  }

  async #prepareRauc(): Promise<void> {
    const { version, compatible } = this.bundle;
    await writeFile(
      this.path('info.json'),
      `${JSON.stringify({ compatible, version, description: null, images: [] })}\n`,
    );
    if (this.raucFails === null) await rm(this.path('fail'), { force: true });
    else await writeFile(this.path('fail'), this.raucFails);
  }

  async prepare(change: Partial<FakeMachine['bundle']>, raucFails: string | null = null): Promise<void> {
    this.bundle = { ...this.bundle, ...change };
    this.raucFails = raucFails;
    await this.#prepareRauc();
  }

  /** Ends the product like a power cut: nothing more is written. */
  async cut(): Promise<void> {
    this.#running?.controller.abort();
    await this.#running?.done;
    this.#running = null;
  }

  /** The firmware after a restart: boots the armed slot for a trial, or the committed one; back if a trial does not boot. */
  async powerOn(trial = false): Promise<void> {
    await this.cut();
    const written = await readFile(this.path('written'), 'utf8').catch(() => ''); // Nothing was installed.
    if (written !== '') {
      const { version, health, boots } = this.bundle;
      this.slots[written.trim() as SlotName] = { version, health, boots };
      await rm(this.path('written'));
    }
    const text = await readFile(this.path('config/autoboot.txt'), 'utf8');
    const committed: SlotName = text === renderAutoboot('A') ? 'A' : 'B';
    const slot = trial ? otherSlot(committed) : committed;
    await this.boot(slot);
    if (trial && !this.slots[slot].boots) await this.powerOn();
  }

  /** Lets the machine restart as often as it asks to. */
  async followRestart(): Promise<void> {
    await this.until(() => this.restarts.length > 0);
    const kind = this.restarts.shift();
    await this.powerOn(kind === 'trial');
  }

  async until(condition: () => boolean, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      if (performance.now() > deadline)
        throw new Error(`not in time; ${JSON.stringify(this.updater?.status())}`);
      await sleep(5);
    }
  }

  #options(): UpdaterOptions {
    const health = () => this.slots[this.booted].health();
    const probes: HealthProbes = {
      cameras: async () => health().cameras,
      selfView: async () => health().selfView,
      recorder: async () => health().recorder,
      hubLink: async () => health().hubLink,
      page: async () => health().page,
      clock: async () => health().clock,
      failedUnits: async () => health().failedUnits,
    };
    return {
      children: plainChildHost(this.#env),
      logger: pino({ level: 'silent' }),
      fetch,
      folder: this.path('ota'),
      installedVersion: this.slots[this.booted].version,
      deviceId: this.id,
      settings: () => this.settings,
      takeRunning: () => this.take,
      probes,
      exclusive: async (task) => {
        this.beforeTask();
        return await task();
      },
      restart: async (trial) => {
        this.restarts.push(trial ? 'trial' : 'plain');
      },
      now: () => new Date(),
      clockIsSet: () => true,
      paths: {
        autoboot: this.path('config/autoboot.txt'),
        selectorState: this.path('state/state'),
        cmdline: this.path('cmdline'),
        systemConf: this.path('system.conf'),
        channelKeys: this.path('channel.pub'),
        offline: [this.path('media')],
      },
      timing: {
        gate: { deadlineMs: 1_500, stableMs: 40, intervalMs: 10, probeTimeoutMs: 5_000 },
        tickMs: 20,
        firstCheckMs: 10,
        stallMs: 5_000,
        preflightMs: 5_000,
        ...this.timing,
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
    await rm(this.root, { recursive: true, force: true });
  }
}
