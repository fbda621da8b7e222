import { useEffect, useState } from 'preact/hooks';
import type { Store } from './store.ts';

/** The store's value, with a new rendering when it changes. */
export const useStore = <T>(store: Store<T>): T => {
  const [, redraw] = useState<object>({});
  useEffect(() => {
    // The value may have changed between the rendering and this subscription.
    redraw({});
    return store.subscribe(() => redraw({}));
  }, [store]);
  return store.value;
};

/** The browser's clock, ms since 1970, read again every `everyMs` while `active`. */
export const useNow = (everyMs: number, active: boolean): number => {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, active]);
  return nowMs;
};
