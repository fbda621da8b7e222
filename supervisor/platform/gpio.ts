import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { RushlightError } from '../../common/errors.ts';
import { untilAborted } from '../../common/pause.ts';

/** The level of a line. */
export type Bit = 0 | 1;
/** The level that means pressed, closed or lit. `low`: connected to ground. */
export type ActiveLevel = 'low' | 'high';

/** A line that is read. Disposing of it releases the line. */
export interface GpioInput extends Disposable {
  read(): Promise<Bit>;
  /** Calls the listener after edges, in no guaranteed number; read the value for the level. */
  onEdge(listener: () => void): void;
}

/** A line that is switched. Disposing of it releases the line. */
export interface GpioOutput extends Disposable {
  write(value: Bit): Promise<void>;
}

/** The lines of the 40-pin header by their BCM numbers. */
export interface GpioHeader {
  /** @throws GpioError if the line does not exist or is in use. */
  openInput(bcm: number): Promise<GpioInput>;
  /** @throws GpioError for the same reasons. */
  openOutput(bcm: number, initial: Bit): Promise<GpioOutput>;
}

/** A line of the header cannot be used. */
export class GpioError extends RushlightError {
  readonly code = 'GPIO_UNAVAILABLE';
}

/** What the jumper says; `absent`: no header. */
export type JumperState = 'closed' | 'open' | 'unreadable' | 'absent';

/** Whether a level is the active one. */
export function isActive(value: Bit, active: ActiveLevel): boolean {
  return value === (active === 'low' ? 0 : 1);
}

const readings = 5;
const readingGapMs = 5;

/**
 * Reads the jumper between a line and ground. `absent` if there is no header, `unreadable` if the line cannot be read or is not
 * stable for a few readings in a row.
 */
export async function readJumper(
  header: GpioHeader | null,
  bcm: number,
  logger: Logger,
): Promise<JumperState> {
  if (header === null) return 'absent';
  try {
    using input = await header.openInput(bcm);
    const values = new Set<Bit>();
    for (let count = 0; count < readings; count += 1) {
      values.add(await input.read());
      await sleep(readingGapMs);
    }
    if (values.size > 1) return 'unreadable';
    return values.has(0) ? 'closed' : 'open';
  } catch (error) {
    logger.warn({ err: error, gpio: bcm }, 'the jumper cannot be read');
    return 'unreadable';
  }
}

/** How a button or jumper is watched. */
export interface WatchInputOptions {
  readonly header: GpioHeader;
  readonly gpio: number;
  readonly active: ActiveLevel;
  readonly logger: Logger;
  /** Called with the state once it is stable, and again after each change. */
  readonly onChange: (active: boolean) => void;
  /** A level counts once it has been stable for this long, in milliseconds. Default 30. */
  readonly debounceMs?: number;
}

/**
 * Watches a button or jumper until the signal is aborted.
 * @throws GpioError if the line cannot be opened.
 */
export async function watchInput(options: WatchInputOptions, signal: AbortSignal): Promise<void> {
  const { header, gpio, active, logger, onChange, debounceMs = 30 } = options;
  using input = await header.openInput(gpio);
  let last: Bit | undefined;
  let timer: NodeJS.Timeout | undefined;
  const settle = async () => {
    try {
      const value = await input.read();
      if (value === last || signal.aborted) return;
      last = value;
      onChange(isActive(value, active));
    } catch (error) {
      logger.warn({ err: error, gpio }, 'an input cannot be read');
    }
  };
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void settle(), debounceMs);
  };
  input.onEdge(restart);
  restart();
  await untilAborted(signal);
  clearTimeout(timer);
}
