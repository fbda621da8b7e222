import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RigError } from '../../lib/errors.ts';
import type { Power } from '../../protocols/power.ts';
import { BootFirmware } from '../firmware/firmware.ts';
import { type MachineSpec, qemuArgv } from './argv.ts';
import { QmpClient } from './qmp.ts';
import { SerialLog } from './serial-log.ts';

/** One start of the guest: from the firmware's choice to QEMU's end. */
export interface Start {
  readonly partition: number;
  readonly tryboot: boolean;
  /** How it ended: QEMU's shutdown reason, `power-cut`, or null while it runs. */
  ended: string | null;
  /** What was written to the card, at the last look. */
  writtenBytes: number;
}

/**
 * A board made of QEMU and the simulated boot firmware. While the power is on, a restart of the guest goes through the firmware
 * again; a shutdown leaves it off.
 */
export class QemuMachine implements Power, AsyncDisposable {
  readonly serial: SerialLog;
  readonly starts: Start[] = [];
  readonly #spec: MachineSpec;
  #firmware: BootFirmware | null = null;
  #folder: string | null = null;
  #child: ChildProcess | null = null;
  #running: Promise<void> | null = null;
  #cut = false;
  #qmp: QmpClient | null = null;

  constructor(spec: MachineSpec) {
    this.#spec = spec;
    this.serial = new SerialLog(async (text) => {
      this.#child?.stdin?.write(text);
    });
  }

  get isOn(): boolean {
    return this.#running !== null;
  }

  async on(): Promise<void> {
    if (this.#running !== null) return;
    this.#folder ??= await mkdtemp(join(tmpdir(), 'rushlight-rig-'));
    this.#firmware ??= new BootFirmware(this.#spec.disk, this.#folder);
    this.#cut = false;
    const started = Promise.withResolvers<void>();
    this.#running = this.#run(this.#firmware, this.#folder, started.resolve).finally(() => {
      this.#running = null;
    });
    // A failure before the first start is the caller's; everyone who waits for the device sees a later one.
    this.#running.catch((error: unknown) => this.serial.mark(`the machine stopped: ${String(error)}`));
    await Promise.race([started.promise, this.#running]);
  }

  async off(): Promise<void> {
    this.#cut = true;
    this.#child?.kill('SIGKILL');
    await this.#running?.catch(() => {}); // already marked in the serial log
  }

  /** Sends QEMU a command. Rejects if it does not run, or refuses. */
  async command(name: string, args: Record<string, unknown>): Promise<void> {
    if (this.#qmp === null) throw new RigError('RIG_LAB', 'the device is switched off');
    await this.#qmp.execute(name, args);
  }

  /** Resolves once the guest has shut itself down (not for a restart). */
  async stopped(): Promise<void> {
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.off();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(firmware: BootFirmware, folder: string, started: () => void): Promise<void> {
    for (;;) {
      const boot = await firmware.load();
      const start: Start = { partition: boot.partition, tryboot: boot.tryboot, ended: null, writtenBytes: 0 };
      this.starts.push(start);
      this.serial.mark(
        `start ${this.starts.length}: partition ${boot.partition}${boot.tryboot ? ', trial' : ''}`,
      );
      const from = this.serial.log.length;
      const socket = join(folder, `qmp-${this.starts.length}`);
      const reason = await this.#runOnce(qemuArgv(this.#spec, boot, socket), socket, started, start);
      start.ended = this.#cut ? 'power-cut' : reason;
      this.serial.mark(`end of start ${this.starts.length}: ${start.ended}`);
      if (this.#cut) return firmware.notePowerCut();
      if (reason !== 'guest-reset') return;
      firmware.noteRestart(this.serial.log.slice(from));
    }
  }

  async #runOnce(
    argv: [string, ...string[]],
    socket: string,
    started: () => void,
    start: Start,
  ): Promise<string> {
    const [program, ...args] = argv;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    if (this.#cut) child.kill('SIGKILL');
    child.stdin.on('error', () => {}); // the guest is gone; its end is reported below
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.serial.append(chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => this.serial.mark(`QEMU: ${chunk.trim()}`));
    const ended = once(child, 'close');
    const gone = new AbortController();
    child.once('close', () => gone.abort(new RigError('RIG_TOOL', 'QEMU has ended')));
    const qmp = await QmpClient.connect(socket, gone.signal).catch((error: unknown) => {
      this.serial.mark(`QEMU takes no commands: ${String(error)}`);
      return null;
    });
    this.#qmp = qmp;
    started();
    const counted = qmp === null ? null : countWrites(qmp, start, gone.signal);
    await ended;
    await counted;
    this.#child = null;
    this.#qmp = null;
    if (qmp === null && !this.#cut)
      throw new RigError('RIG_TOOL', `QEMU did not start: ${this.serial.log.slice(-500)}`);
    const reason = qmp?.shutdownReason ?? `exit code ${child.exitCode ?? child.signalCode}`;
    await qmp?.[Symbol.asyncDispose]();
    return reason;
  }
}

/** Asks QEMU every second what it wrote to the card, until it has ended. */
async function countWrites(qmp: QmpClient, start: Start, gone: AbortSignal): Promise<void> {
  try {
    for (;;) {
      start.writtenBytes = await qmp.writtenBytes('card');
      await sleep(1_000, undefined, { signal: gone });
    }
  } catch (error) {
    // QEMU stops answering once it has ended, which this waits for; an answer of another form is an error.
    if (!gone.aborted && !(error instanceof RigError)) throw error;
  }
}
