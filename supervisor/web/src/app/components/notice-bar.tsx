import { useEffect, useState } from 'preact/hooks';
import type { Notice } from '../app-controller.ts';
import type { Store } from '../store.ts';

const shownForMs = 8000;
/** Messages that came together are shown together, for example two cameras on one cable. */
const mostShown = 4;

/** Short messages, such as why a press on the record button did nothing, or that a camera was unplugged. */
export const NoticeBar = ({ notice }: { notice: Store<Notice | null> }) => {
  const [shown, setShown] = useState<readonly Notice[]>([]);
  const dismiss = (gone: number) => setShown((now) => now.filter(({ id }) => id !== gone));
  useEffect(() => {
    const add = () => {
      const { value } = notice;
      if (value === null) return;
      setShown((now) => [...now, value].slice(-mostShown));
      setTimeout(() => dismiss(value.id), shownForMs);
    };
    add();
    return notice.subscribe(add);
  }, [notice]);
  return (
    <div class="notice-bar" role="alert">
      {shown.map(({ id, text }) => (
        <button
          key={id}
          type="button"
          class="notice"
          onClick={() => dismiss(id)}
          aria-label={`${text} Dismiss`}
        >
          {text}
        </button>
      ))}
    </div>
  );
};
