import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../common/errors.ts';

/** A GPIO chip as /sys/class/gpio shows it. */
export interface GpioChip {
  readonly label: string;
  /** sysfs number of its first line. */
  readonly base: number;
  readonly lines: number;
}

/** Chips that have the 40-pin header: Zero 2 W and 3, 4, 5. */
export const headerChipLabels = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1'] as const;

/** Reads all chips; an empty list if the kernel has no sysfs GPIO. */
export function readGpioChips(folder = '/sys/class/gpio'): GpioChip[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) => {
    if (!/^gpiochip\d+$/.test(name)) return [];
    const chip = parseGpioChip({
      label: readAttribute(join(folder, name, 'label')),
      base: readAttribute(join(folder, name, 'base')),
      ngpio: readAttribute(join(folder, name, 'ngpio')),
    });
    return chip === undefined ? [] : [chip];
  });
}

/** The three attributes of a chip as text; undefined if they are not valid. */
export function parseGpioChip(attributes: {
  readonly label: string;
  readonly base: string;
  readonly ngpio: string;
}): GpioChip | undefined {
  const [base, lines] = [attributes.base, attributes.ngpio].map((text) => text.trim());
  if (base === undefined || lines === undefined || !/^\d+$/.test(base) || !/^\d+$/.test(lines))
    return undefined;
  return { label: attributes.label.trim(), base: Number(base), lines: Number(lines) };
}

/** The chip of the header: the one with a known label; of several, the one with the most lines, then the lowest base. */
export function findHeaderChip(
  chips: readonly GpioChip[],
  labels: readonly string[] = headerChipLabels,
): GpioChip | undefined {
  return chips
    .filter(({ label }) => labels.includes(label))
    .sort((a, b) => b.lines - a.lines || a.base - b.base)[0];
}

/** The sysfs number of a BCM line; undefined if the chip has no such line. The base differs from kernel to kernel. */
export function sysfsNumber(chip: GpioChip, bcm: number): number | undefined {
  return Number.isInteger(bcm) && bcm >= 0 && bcm < chip.lines ? chip.base + bcm : undefined;
}

function readAttribute(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // A chip that disappears while it is read, or that lacks this attribute, is not ours.
    return '';
  }
}
