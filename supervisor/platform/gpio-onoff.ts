/// <reference path="./onoff.d.ts" />
// Without a compiler npm leaves the package out: every project that reads this file needs the declaration.
import type { Gpio } from 'onoff';
import type { Logger } from 'pino';
import { type Bit, GpioError, type GpioHeader, type GpioInput, type GpioOutput } from './gpio.ts';
import { findHeaderChip, type GpioChip, headerChipLabels, readGpioChips, sysfsNumber } from './gpio-chip.ts';

/** What the header needs. */
export interface OpenHeaderOptions {
  readonly logger: Logger;
  /** Labels of chips that count as the header; RUSHLIGHT_GPIO_CHIP adds one, for a rig. */
  readonly labels?: readonly string[];
}

/** The header of this board; null, with the reason in the log, if there is none or it cannot be used. */
export async function openGpioHeader({
  logger,
  labels = labelsOf(process.env),
}: OpenHeaderOptions): Promise<GpioHeader | null> {
  const chip = findHeaderChip(readGpioChips(), labels);
  if (chip === undefined) {
    logger.info('this machine has no GPIO header');
    return null;
  }
  try {
    // Optional: npm leaves the package out if it was installed without a compiler.
    const { Gpio } = await import('onoff');
    return new OnoffHeader(chip, Gpio);
  } catch (error) {
    logger.warn({ err: error }, 'there is a GPIO header, but the package onoff cannot be loaded');
    return null;
  }
}

/** The labels by the environment; see {@link OpenHeaderOptions}. */
export function labelsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  const extra = environment.RUSHLIGHT_GPIO_CHIP;
  return extra === undefined || extra === '' ? headerChipLabels : [extra, ...headerChipLabels];
}

/** The lines of one chip through onoff and sysfs. It sets no pulls: an overlay or config.txt does. */
class OnoffHeader implements GpioHeader {
  readonly #chip: GpioChip;
  readonly #lines: typeof Gpio;

  constructor(chip: GpioChip, lines: typeof Gpio) {
    this.#chip = chip;
    this.#lines = lines;
  }

  async openInput(bcm: number): Promise<GpioInput> {
    const line = this.#open(bcm, 'in', 'both');
    return {
      read: () => line.read(),
      // An error means that the edge was missed; the reading that follows fails, too, and reports it.
      onEdge: (listener) => line.watch(() => listener()),
      [Symbol.dispose]: () => release(line),
    };
  }

  async openOutput(bcm: number, initial: Bit): Promise<GpioOutput> {
    const line = this.#open(bcm, initial === 1 ? 'high' : 'low', 'none');
    return { write: (value) => line.write(value), [Symbol.dispose]: () => release(line) };
  }

  #open(bcm: number, direction: 'in' | 'high' | 'low', edge: 'both' | 'none'): Gpio {
    const number = sysfsNumber(this.#chip, bcm);
    if (number === undefined) throw new GpioError(`${this.#chip.label} has no line ${bcm}`);
    try {
      return new this.#lines(number, direction, edge);
    } catch (error) {
      throw new GpioError(`cannot use GPIO ${bcm} (${number} of ${this.#chip.label})`, { cause: error });
    }
  }
}

function release(line: Gpio): void {
  line.unwatchAll();
  line.unexport();
}
