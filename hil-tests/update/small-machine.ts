import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a machine is observed and ended. */
export interface MachineRun {
  /** Gets the function that cuts its power as soon as it has power. */
  readonly onStart?: (cut: () => void) => void;
  /** Gets the machine's output on its serial line, line by line, and may cut its power. */
  readonly onLine?: (line: string, cut: () => void) => void;
  readonly signal: AbortSignal;
  /** Its power is cut after this time, in milliseconds. */
  readonly timeoutMs: number;
}

/** A machine of one processor. */
export interface SmallMachine {
  readonly kernel: string;
  readonly initramfs: string;
  readonly cmdline: string;
  readonly memoryMb: number;
  readonly disk: string;
  /** File that records every write to the disk, as `readWriteLog` reads it; null if nothing is recorded. */
  readonly writeLog: string | null;
  /** Further options of QEMU. */
  readonly more?: readonly string[];
}

/** QEMU's command line for a machine of one processor and one disk, in software emulation. Pure. */
function smallMachineArgv(machine: SmallMachine): readonly [string, ...string[]] {
  const file = { driver: 'file', filename: machine.disk, 'node-name': 'disk' };
  const logged = {
    driver: 'blklogwrites',
    'node-name': 'logged',
    file: 'disk',
    'log-sector-size': 512,
    log: { driver: 'file', filename: machine.writeLog ?? '' },
  };
  const drives = machine.writeLog === null ? [file] : [file, logged];
  const node = machine.writeLog === null ? 'disk' : 'logged';
  return [
    'qemu-system-x86_64',
    ...['-M', 'q35', '-cpu', 'max,la57=off', '-accel', 'tcg', '-m', String(machine.memoryMb)],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    // On a busy host the kernel takes a late timer for a missing one, and panics.
    ...['-kernel', machine.kernel, '-initrd', machine.initramfs],
    ...['-append', `${machine.cmdline} no_timer_check`],
    ...drives.flatMap((drive) => ['-blockdev', JSON.stringify(drive)]),
    // What is not written cannot be recorded.
    ...['-device', `virtio-blk-pci,drive=${node},discard=off,write-zeroes=off`],
    ...(machine.more ?? []),
  ];
}

/** Runs a machine until it is off or restarts; resolves with all its lines. */
export async function runSmallMachine(machine: SmallMachine, run: MachineRun): Promise<string[]> {
  const [program, ...args] = smallMachineArgv(machine);
  return await listen(spawn(program, args), run);
}

async function listen(child: ChildProcess, run: MachineRun): Promise<string[]> {
  const lines: string[] = [];
  let rest = '';
  const cut = () => void child.kill('SIGKILL');
  run.onStart?.(cut);
  const timer = setTimeout(cut, run.timeoutMs);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split(/\r?\n/);
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        run.onLine?.(line, cut);
      }
    });
  }
  run.signal.addEventListener('abort', cut, { once: true });
  await once(child, 'close');
  run.signal.removeEventListener('abort', cut);
  clearTimeout(timer);
  run.signal.throwIfAborted();
  return lines;
}
