import type { Logger } from 'pino';
import type { StatusBoard } from '../status/index.ts';
import type { Reach } from '../system/reach.ts';
import { applianceState } from './appliance-state.ts';
import { consoleText, writeConsole } from './console-screen.ts';
import type { GpioPanel } from './gpio-panel.ts';

/** Where the state is shown. */
export interface StateDisplayOptions {
  readonly board: StatusBoard;
  readonly gpio: GpioPanel;
  /** How the page is reached; null if it is not. */
  readonly reach: () => Reach | null;
  /** The folder that the image's console watches (/run/rushlight); null if there is none. */
  readonly folder: string | null;
  readonly log: Logger;
}

/** Shows the state on the machine itself, by its status light and on its screen, until it is disposed. */
export function displayState({ board, gpio, reach, folder, log }: StateDisplayOptions): Disposable {
  let shown = '';
  // One after the other, so that the last one stays.
  let written = Promise.resolve();
  const unsubscribe = board.subscribe((event) => {
    if (event.type !== 'status') return;
    gpio.showState(applianceState(event.status));
    const reached = reach();
    if (folder === null || reached === null) return;
    const text = consoleText(event.status, reached);
    if (text === shown) return;
    shown = text;
    written = written.then(() => writeConsole(folder, text, log));
  });
  return { [Symbol.dispose]: unsubscribe };
}
