import { type StatsListener, unwatchFile, watchFile } from 'node:fs';

const lookMs = 1000;
/** A file that is still being copied changes with every look. */
const quietMs = 1500;

/** Calls `onChange` when a file was replaced or written, once it has stopped changing. Ends with the signal. */
export function watchForChange(file: string, onChange: () => void, signal: AbortSignal): void {
  let pending: NodeJS.Timeout | undefined;
  const changed: StatsListener = () => {
    clearTimeout(pending);
    pending = setTimeout(onChange, quietMs);
  };
  watchFile(file, { interval: lookMs, persistent: false }, changed);
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(pending);
      unwatchFile(file, changed);
    },
    { once: true },
  );
}
