import { RushlightError } from '../../../common/errors.ts';

/** The files of a boot partition contain something that no firmware can use. */
export class BootFileError extends RushlightError {
  readonly code = 'BOOT_FILE_INVALID';
}

/** autoboot.txt is ignored beyond this size, as the boards' firmware does. */
const autobootMaxBytes = 512;

/**
 * Reads autoboot.txt or config.txt as the boards' firmware does: `key=value` lines under conditional filters such as
 * `[all]`, `[tryboot]` and `[pi5]`; a filter stands until the next one. Lines of other shape (`initramfs a followkernel`)
 * come under their first word. The last matching line of a key wins. Never throws.
 */
export function readBootFile(text: string, filters: ReadonlySet<string>): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let applies = true;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/#.*$/, '').trim();
    const filter = /^\[([^\]]*)\]$/.exec(line)?.[1]?.trim().toLowerCase();
    if (filter !== undefined) {
      applies = filter === 'all' || filters.has(filter);
      continue;
    }
    const entry = /^([^=\s]+)\s*[=\s]\s*(.*)$/.exec(line);
    if (applies && entry !== null) values.set(entry[1] ?? '', (entry[2] ?? '').trim());
  }
  return values;
}

/** What the firmware starts: a partition, and whether this is a trial (the one-shot flag was set). */
export interface BootChoice {
  readonly partition: number;
  readonly tryboot: boolean;
  /** The configuration's file name: tryboot.txt only if a trial does not switch partitions. */
  readonly configFile: 'config.txt' | 'tryboot.txt';
}

/**
 * Chooses by autoboot.txt (null if there is none). A trial counts only with `tryboot_a_b=1`; without it the firmware stays on
 * the partition and reads tryboot.txt. Throws {@link BootFileError} for a partition that is no number.
 */
export function chooseBoot(autoboot: string | null, tryboot: boolean): BootChoice {
  const text = autoboot !== null && Buffer.byteLength(autoboot) <= autobootMaxBytes ? autoboot : '';
  const values = readBootFile(text, new Set(tryboot ? ['tryboot'] : []));
  const partition = Number(values.get('boot_partition') ?? '1');
  if (!Number.isInteger(partition) || partition < 1 || partition > 63) {
    throw new BootFileError(`autoboot.txt: boot_partition=${values.get('boot_partition')} is no partition`);
  }
  const switched = values.get('tryboot_a_b') === '1';
  return { partition, tryboot, configFile: tryboot && !switched ? 'tryboot.txt' : 'config.txt' };
}

/** The files that are loaded from the chosen partition. */
export interface BootFiles {
  readonly kernel: string;
  readonly initramfs: string | null;
  readonly cmdline: string;
}

/** Throws {@link BootFileError} if config.txt names no kernel: QEMU has no default for one. */
export function bootFilesOf(config: string): BootFiles {
  const values = readBootFile(config, new Set(['arm_64bit']));
  const kernel = values.get('kernel');
  if (kernel === undefined || kernel === '') throw new BootFileError('config.txt names no kernel');
  const prefix = values.get('os_prefix') ?? '';
  const initramfs = values.get('initramfs')?.split(/\s+/)[0];
  return {
    kernel: `${prefix}${kernel}`,
    initramfs: initramfs === undefined || initramfs === '' ? null : `${prefix}${initramfs}`,
    cmdline: `${prefix}${values.get('cmdline') ?? 'cmdline.txt'}`,
  };
}

/**
 * The one-shot flag, from the kernel's message at its restart: `reboot: Restarting system with command '0 tryboot'`. The
 * boards' firmware gets the words of this command.
 */
export function trybootRequested(serial: string): boolean {
  const command = serial.split(/\r?\n/).findLast((line) => line.includes('reboot: Restarting system'));
  const words = /with command '([^']*)'/.exec(command ?? '')?.[1]?.split(/\s+/) ?? [];
  return words.includes('tryboot');
}
