import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RigError } from '../../lib/errors.ts';
import { runTool } from '../../lib/run-tool.ts';
import type { Reference, ReferenceStart } from '../../protocols/reference.ts';
import type { MachineSpec } from './argv.ts';
import { QemuMachine } from './machine.ts';

const repository = join(import.meta.dirname, '../../..');
const unit = join(import.meta.dirname, '../../guest/m.service');
const buildTimeoutMs = 30 * 60_000;
const startTimeoutMs = 120_000;
/** The figures that `systemd-analyze` prints. */
const analysed = /^Startup finished|reached after| @\d|─.*@\d/;

/** Debian from the same packages with the same kernel, in a machine like the lab's. Its image is built if it is missing. */
export class BareDebian implements Reference {
  readonly #spec: MachineSpec;
  readonly #slowness: number;

  /** `spec`: the lab's machine; disks, credentials and peripherals are this one's own. */
  constructor(spec: MachineSpec, slowness: number) {
    this.#spec = spec;
    this.#slowness = slowness;
  }

  async start(signal: AbortSignal): Promise<ReferenceStart> {
    const { arch } = this.#spec;
    const build = [join(repository, 'image/build'), 'bare', '--arch', arch] as const;
    await runTool(build, { timeoutMs: buildTimeoutMs, signal });
    const folder = await mkdtemp(join(tmpdir(), 'rushlight-bare-'));
    try {
      const disk = join(folder, 'disk.img');
      await runTool(['cp', '--sparse=always', join(repository, `image/out/bare-${arch}/disk.img`), disk], {
        timeoutMs: 300_000,
      });
      const credentials = { 'systemd.extra-unit.m.service': unit };
      const peripherals = 'systemd.wants=m.service';
      await using machine = new QemuMachine({ ...this.#spec, disk, ssd: null, credentials, peripherals });
      return await this.#watch(machine, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #watch(machine: QemuMachine, signal: AbortSignal): Promise<ReferenceStart> {
    const timeoutMs = startTimeoutMs * this.#slowness;
    const startedAt = Date.now();
    await machine.on();
    const [said] = await machine.serial.expect(/rig: multi-user|----- end of start 1/, { timeoutMs });
    if (!said.startsWith('rig:')) {
      throw new RigError('RIG_TOOL', `bare Debian did not come up: ${machine.serial.log.slice(-500)}`);
    }
    const multiUserS = (Date.now() - startedAt) / 1000;
    signal.throwIfAborted();
    const output = await machine.serial.expect(/rig: multi-user\n([\s\S]*?)rig: end/, { timeoutMs });
    // The console is shared with the login prompt.
    const analysis = (output[1] ?? '').split('\n').filter((line) => analysed.test(line));
    return { multiUserS, analysis };
  }
}
