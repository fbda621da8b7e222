import { readFileSync } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause, untilAborted } from '../../common/pause.ts';
import { type ActiveLevel, type Bit, GpioError, type GpioHeader } from './gpio.ts';

/** Milliseconds lit, dark, lit, dark …, repeated. One number: lit permanently. */
export type LightPattern = readonly [number, ...number[]];

/** A light that is switched. Disposing of it gives it back. */
export interface Light extends AsyncDisposable {
  /** @throws GpioError if it cannot be switched. */
  set(isLit: boolean): Promise<void>;
}

/**
 * Plays a pattern from its start, until the signal is aborted.
 * @throws GpioError
 */
export async function playPattern(light: Light, pattern: LightPattern, signal: AbortSignal): Promise<void> {
  for (let phase = 0; !signal.aborted; phase = (phase + 1) % pattern.length) {
    await light.set(phase % 2 === 0);
    if (pattern.length === 1) return await untilAborted(signal);
    await pause(pattern[phase] ?? pattern[0], signal);
  }
}

/**
 * A light on a line of the header; dark when it is given back.
 * @throws GpioError if the line cannot be used.
 */
export async function openGpioLight(header: GpioHeader, gpio: number, active: ActiveLevel): Promise<Light> {
  const level = (isLit: boolean): Bit => (isLit === (active === 'high') ? 1 : 0);
  const output = await header.openOutput(gpio, level(false));
  return {
    set: (isLit) => output.write(level(isLit)),
    async [Symbol.asyncDispose]() {
      try {
        await output.write(level(false));
      } finally {
        output[Symbol.dispose]();
      }
    },
  };
}

/** The name that overlays/dt/rushlight-status-led.dts gives the LED. */
const ledFolder = 'sys/class/leds/rushlight:status';

/** The folder of the status light if the device tree has made an LED of it; otherwise null. `root`: prefix of /sys. */
export async function findStatusLed(root = '/'): Promise<string | null> {
  const folder = join(root, ledFolder);
  return await access(folder).then(
    () => folder,
    () => null,
  );
}

/**
 * An LED of the kernel (Documentation/leds/leds-class.rst). Before it is opened and after it is closed the kernel blinks it by
 * itself, so that it shows a supervisor that does not run.
 * @throws GpioError
 */
export async function openLed(folder: string): Promise<Light> {
  const write = async (file: string, value: string) => {
    try {
      await writeFile(join(folder, file), value);
    } catch (error) {
      throw new GpioError(`the LED ${folder} cannot be set`, { cause: error });
    }
  };
  const brightest = readFileSync(join(folder, 'max_brightness'), 'utf8').trim();
  await write('trigger', 'none');
  return {
    set: (isLit) => write('brightness', isLit ? brightest : '0'),
    [Symbol.asyncDispose]: () => write('trigger', 'timer'),
  };
}
