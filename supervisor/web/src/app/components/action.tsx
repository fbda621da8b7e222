import { useState } from 'preact/hooks';

interface ActionProps {
  /** What a press does. */
  text: string;
  /** Shown while it is being done. */
  doing: string;
  main?: boolean;
  /** The action cannot be undone. */
  danger?: boolean;
  act(): Promise<void>;
}

/** A button that cannot be pressed twice, and says what it is doing. */
export const Action = ({ text, doing, main, danger, act }: ActionProps) => {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    await act().finally(() => setBusy(false));
  };
  return (
    <button
      type="button"
      class={`button ${danger ? 'button-danger' : ''} ${main ? 'button-main' : ''}`}
      disabled={busy}
      onClick={() => void press()}
    >
      {busy ? doing : text}
    </button>
  );
};

/** A button that asks for confirmation, and says what would be lost. */
export const CarefulAction = (props: ActionProps & { warning: string; keep?: string; small?: boolean }) => {
  const [asked, setAsked] = useState(false);
  const { text, warning, keep = 'Keep it', small, danger, act } = props;
  if (!asked) {
    return (
      <button
        type="button"
        class={`button ${small ? 'button-small' : ''} ${danger ? 'button-danger' : ''}`}
        onClick={() => setAsked(true)}
      >
        {text}
      </button>
    );
  }
  return (
    <fieldset class="careful" aria-label={text}>
      <p>{warning}</p>
      <Action {...props} main act={() => act().finally(() => setAsked(false))} />
      <button type="button" class="button" onClick={() => setAsked(false)}>
        {keep}
      </button>
    </fieldset>
  );
};
