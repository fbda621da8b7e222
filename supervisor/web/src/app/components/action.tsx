import { useEffect, useRef, useState } from 'preact/hooks';
import { BusyButton } from './busy-button.tsx';

interface ActionProps {
  /** What a press does. */
  text: string;
  /** Its name for screen readers, if the text alone does not say what it is about. */
  label?: string;
  /** Shown while it is being done. */
  doing: string;
  main?: boolean;
  /** The action cannot be undone. */
  danger?: boolean;
  act(): Promise<unknown>;
}

/** A button that cannot be pressed twice, and says what it is doing. */
export const Action = ({ text, label, doing, main, danger, act }: ActionProps) => {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    await act().finally(() => setBusy(false));
  };
  return (
    <BusyButton
      class={`button ${danger ? 'button-danger' : ''} ${main ? 'button-main' : ''}`}
      busy={busy}
      aria-label={label}
      onClick={() => void press()}
    >
      {busy ? doing : text}
    </BusyButton>
  );
};

/** A button that asks for confirmation, and says what would be lost. */
export const CarefulAction = (props: ActionProps & { warning: string; keep?: string; small?: boolean }) => {
  const [asked, setAsked] = useState(false);
  const { text, label, warning, keep = 'Keep it', small, danger, act } = props;
  const ask = useRef<HTMLButtonElement>(null);
  const way = useRef<HTMLButtonElement>(null);
  const wasAsked = useRef(asked);
  useEffect(() => {
    // The keyboard's focus goes to the harmless answer, and back.
    if (asked !== wasAsked.current) (asked ? way : ask).current?.focus();
    wasAsked.current = asked;
  }, [asked]);
  if (!asked) {
    return (
      <button
        ref={ask}
        type="button"
        class={`button ${small ? 'button-small' : ''} ${danger ? 'button-danger' : ''}`}
        aria-label={label}
        onClick={() => setAsked(true)}
      >
        {text}
      </button>
    );
  }
  return (
    <fieldset
      class="careful"
      aria-label={label ?? text}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setAsked(false);
      }}
    >
      <p role="alert">{warning}</p>
      <Action {...props} main act={() => act().finally(() => setAsked(false))} />
      <button ref={way} type="button" class="button" onClick={() => setAsked(false)}>
        {keep}
      </button>
    </fieldset>
  );
};
