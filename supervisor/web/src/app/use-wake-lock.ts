import { useEffect } from 'preact/hooks';

/** Keeps a phone's screen on while its page shows pictures. Browsers offer it in secure contexts only. */
export const useWakeLock = (wanted: boolean): void => {
  useEffect(() => {
    if (!wanted || !('wakeLock' in navigator)) return;
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const ask = async () => {
      if (document.visibilityState !== 'visible') return;
      try {
        const granted = await navigator.wakeLock.request('screen');
        if (over) await granted.release();
        else lock = granted;
      } catch {
        // Refused, on a low battery for instance: the screen may go dark, and nothing else is lost.
      }
    };
    void ask();
    // The browser drops the lock whenever the page is out of sight.
    document.addEventListener('visibilitychange', ask);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release();
    };
  }, [wanted]);
};
