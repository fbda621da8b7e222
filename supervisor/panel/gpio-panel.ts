import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { type Bit, type GpioHeader, readJumper, watchInput } from '../platform/gpio.ts';
import { openGpioLight, openLed } from '../platform/light.ts';
import { ServiceSlot } from '../process/service-slot.ts';
import type { JumperReading } from '../roles/index.ts';
import type { ApplianceState } from './appliance-state.ts';
import { StatusLight } from './status-light.ts';

/** What the panel needs. */
export interface GpioPanelOptions {
  /** Null if this machine has no header. */
  readonly header: GpioHeader | null;
  /** The status light's folder in /sys if the kernel drives it; null: a line of the header, as set. */
  readonly statusLed: string | null;
  readonly onJumper: () => void;
  readonly onRecordButton: () => void;
  readonly log: Logger;
}

type Lines = Pick<Config, 'role' | 'jumper' | 'recordButton' | 'tallyLight' | 'statusLight'>;

const identifyMs = 10_000;
const blinkMs = 150;

/** What is wired to the header: jumper, record button, tally and status light. */
export class GpioPanel {
  readonly #options: GpioPanelOptions;
  readonly #slots: {
    readonly jumper: ServiceSlot;
    readonly button: ServiceSlot;
    readonly status: ServiceSlot;
  };
  readonly #statusLight = new StatusLight();
  /** A line can be opened once at a time: a light that is switched twice at once would keep the first state. */
  readonly #inTurn = pLimit(1);
  #lines: Lines | null = null;
  #jumper: JumperReading = 'absent';
  #lit: Bit = 0;
  /** The line on which the jumper is watched now. */
  #watched: number | null = null;

  constructor(options: GpioPanelOptions) {
    this.#options = options;
    this.#slots = {
      jumper: new ServiceSlot('jumper', options.log),
      button: new ServiceSlot('button', options.log),
      status: new ServiceSlot('status light', options.log),
    };
  }

  get jumper(): JumperReading {
    return this.#jumper;
  }

  async apply(lines: Lines): Promise<void> {
    const { header, log, onRecordButton } = this.#options;
    this.#lines = lines;
    await this.#applyStatusLight(lines.statusLight);
    if (header === null) return;
    const { jumper, recordButton } = lines;
    // A watched line's level is known; reading it again would release it under the watcher.
    if (lines.role === 'auto' && this.#watched !== jumper.gpio) {
      this.#jumper = await readJumper(header, jumper.gpio, log);
    }
    await this.#slots.jumper.set(
      jumper.gpio,
      lines.role === 'auto' ? (signal) => this.#watchJumper(header, jumper.gpio, signal) : null,
    );
    const { gpio, active } = recordButton;
    const pressed = (isPressed: boolean) => {
      if (isPressed) onRecordButton();
    };
    await this.#slots.button.set(
      recordButton,
      gpio === undefined
        ? null
        : (signal) => watchInput({ header, gpio, active, logger: log, onChange: pressed }, signal),
    );
  }

  /** Lights the tally light while this appliance records or is on air. */
  showTally(isLit: boolean): void {
    const bit: Bit = isLit ? 1 : 0;
    if (bit === this.#lit) return;
    this.#lit = bit;
    void this.#write(this.#lines?.tallyLight, isLit);
  }

  /** The state that the status light's pattern shows. */
  showState(state: ApplianceState): void {
    this.#statusLight.show(state);
  }

  /** Blinks every light for ten seconds. */
  async identify(): Promise<void> {
    await Promise.all([this.#statusLight.identify(identifyMs), this.#blinkTally()]);
  }

  async #blinkTally(): Promise<void> {
    const until = performance.now() + identifyMs;
    let isLit = true;
    while (performance.now() < until) {
      await this.#write(this.#lines?.tallyLight, isLit);
      isLit = !isLit;
      await sleep(blinkMs);
    }
    await this.#write(this.#lines?.tallyLight, this.#lit === 1);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#slots).map((slot) => slot.close()));
  }

  /** The kernel's LED if there is one: the device tree has taken its line, whatever the settings say. */
  async #applyStatusLight(line: Lines['statusLight']): Promise<void> {
    const { header, statusLed } = this.#options;
    const { gpio, active } = line;
    if (statusLed !== null) {
      await this.#slots.status.set(statusLed, (signal) =>
        this.#statusLight.run(() => openLed(statusLed), signal),
      );
    } else {
      await this.#slots.status.set(
        line,
        header === null || gpio === undefined
          ? null
          : (signal) => this.#statusLight.run(() => openGpioLight(header, gpio, active), signal),
      );
    }
  }

  async #watchJumper(header: GpioHeader, gpio: number, signal: AbortSignal): Promise<void> {
    const { log, onJumper } = this.#options;
    const onChange = (isClosed: boolean) => {
      const reading: JumperReading = isClosed ? 'closed' : 'open';
      if (reading === this.#jumper) return;
      this.#jumper = reading;
      onJumper();
    };
    this.#watched = gpio;
    try {
      await watchInput({ header, gpio, active: 'low', logger: log, onChange, debounceMs: 200 }, signal);
    } finally {
      this.#watched = null;
    }
  }

  /** Never rejects. */
  #write(light: Lines['tallyLight'] | undefined, isLit: boolean): Promise<void> {
    return this.#inTurn(() => this.#writeNow(light, isLit));
  }

  async #writeNow(light: Lines['tallyLight'] | undefined, isLit: boolean): Promise<void> {
    const { header, log } = this.#options;
    if (header === null || light?.gpio === undefined) return;
    const level: Bit = isLit === (light.active === 'high') ? 1 : 0;
    try {
      using output = await header.openOutput(light.gpio, level);
      await output.write(level);
    } catch (error) {
      log.warn({ err: error, gpio: light.gpio }, 'a light cannot be set');
    }
  }
}
