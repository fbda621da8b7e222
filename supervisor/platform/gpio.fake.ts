import { type Bit, GpioError, type GpioHeader, type GpioInput, type GpioOutput } from './gpio.ts';

/** A header whose levels a test sets. Lines are pulled up, as on a board with our overlay. */
export class FakeGpioHeader implements GpioHeader {
  readonly #levels = new Map<number, Bit>();
  readonly #listeners = new Map<number, Set<() => void>>();
  readonly #open = new Set<number>();
  /** Lines that cannot be opened or read. */
  readonly broken = new Set<number>();

  /** Sets the level of a line from outside, as a jumper or finger does. */
  set(bcm: number, value: Bit): void {
    if (this.level(bcm) === value) return;
    this.#levels.set(bcm, value);
    for (const listener of this.#listeners.get(bcm) ?? []) listener();
  }

  level(bcm: number): Bit {
    return this.#levels.get(bcm) ?? 1;
  }

  isOpen(bcm: number): boolean {
    return this.#open.has(bcm);
  }

  async openInput(bcm: number): Promise<GpioInput> {
    this.#claim(bcm);
    const own = new Set<() => void>();
    this.#listeners.set(bcm, own);
    return {
      read: async () => {
        if (this.broken.has(bcm)) throw new GpioError(`GPIO ${bcm} is broken`);
        return this.level(bcm);
      },
      onEdge: (listener) => void own.add(listener),
      [Symbol.dispose]: () => {
        own.clear();
        this.#open.delete(bcm);
      },
    };
  }

  async openOutput(bcm: number, initial: Bit): Promise<GpioOutput> {
    this.#claim(bcm);
    this.#levels.set(bcm, initial);
    return {
      write: async (value) => void this.#levels.set(bcm, value),
      [Symbol.dispose]: () => void this.#open.delete(bcm),
    };
  }

  #claim(bcm: number): void {
    if (this.broken.has(bcm)) throw new GpioError(`GPIO ${bcm} is broken`);
    if (this.#open.has(bcm)) throw new GpioError(`GPIO ${bcm} is in use`);
    this.#open.add(bcm);
  }
}
