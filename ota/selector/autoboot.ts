import { OtaError } from '../errors.ts';
import { bootPartitionOf, otherSlot, type SlotName, slotOfBootPartition } from './slot.ts';

/** The firmware reads no more than this of autoboot.txt (Raspberry Pi documentation, "autoboot.txt"). */
export const AUTOBOOT_MAX_BYTES = 512;

/** Partitions that the firmware uses on a plain boot and on a one-shot trial boot; null: its default. */
export interface BootPartitions {
  readonly normal: number | null;
  readonly trial: number | null;
}

/**
 * Reads autoboot.txt as the boot firmware does: `[all]` always counts, `[tryboot]` only on a trial boot, other
 * sections never, the last value wins, text after `#` and everything past 512 bytes is ignored.
 */
export function readBootPartitions(text: string): BootPartitions {
  const seen = Buffer.from(text, 'utf8').subarray(0, AUTOBOOT_MAX_BYTES).toString('utf8');
  let section = 'all';
  let normal: number | null = null;
  let trial: number | null = null;
  for (const raw of seen.split(/\r?\n/)) {
    const line = raw.replace(/#.*$/, '').trim();
    const header = /^\[(.*)\]$/.exec(line);
    if (header !== null) {
      section = (header[1] ?? '').trim();
      continue;
    }
    const value = /^boot_partition\s*=\s*(\d{1,3})$/.exec(line)?.[1];
    if (value === undefined) continue;
    if (section === 'all') {
      normal = Number(value);
      trial = Number(value);
    } else if (section === 'tryboot') {
      trial = Number(value);
    }
  }
  return { normal, trial };
}

/**
 * The committed slot that an autoboot.txt names.
 * @throws {OtaError} `AUTOBOOT_INVALID` if the text is not a complete selector of ours.
 */
export function parseAutoboot(text: string): SlotName {
  if (Buffer.byteLength(text) > AUTOBOOT_MAX_BYTES) {
    throw new OtaError('AUTOBOOT_INVALID', `autoboot.txt is longer than ${AUTOBOOT_MAX_BYTES} bytes`);
  }
  const { normal, trial } = readBootPartitions(text);
  const committed = normal === null ? null : slotOfBootPartition(normal);
  if (committed === null) throw new OtaError('AUTOBOOT_INVALID', 'autoboot.txt names no slot to boot');
  if (trial !== bootPartitionOf(otherSlot(committed))) {
    throw new OtaError('AUTOBOOT_INVALID', 'the trial partition of autoboot.txt is not the other slot');
  }
  return committed;
}

/** The text of an autoboot.txt that boots `committed`, and the other slot once when a trial is requested. */
export function renderAutoboot(committed: SlotName): string {
  return [
    '[all]',
    'tryboot_a_b=1',
    `boot_partition=${bootPartitionOf(committed)}`,
    '[tryboot]',
    `boot_partition=${bootPartitionOf(otherSlot(committed))}`,
    '',
  ].join('\n');
}
