import { useEffect, useState } from 'preact/hooks';
import type { Notice } from '../app-controller.ts';
import type { Store } from '../store.ts';
import { useStore } from '../use-store.ts';

const shownForMs = 8000;

/** A word in passing, such as why a press on the record button did nothing. */
export const NoticeBar = ({ notice }: { notice: Store<Notice | null> }) => {
  const latest = useStore(notice);
  const [goneId, setGoneId] = useState(0);
  const id = latest?.id ?? 0;
  useEffect(() => {
    const timer = setTimeout(() => setGoneId(id), shownForMs);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div class="notice-bar" role="alert">
      {latest !== null && latest.id > goneId && (
        <button
          type="button"
          class="notice"
          onClick={() => setGoneId(id)}
          aria-label={`${latest.text} Dismiss`}
        >
          {latest.text}
        </button>
      )}
    </div>
  );
};
