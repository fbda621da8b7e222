import type { ButtonHTMLAttributes } from 'preact';

type BusyButtonProps = Omit<ButtonHTMLAttributes, 'onClick'> & {
  busy: boolean;
  /** Not needed for a button that submits its form. */
  onClick?(): void;
};

/**
 * A button that does nothing while it is busy. A disabled one would lose the keyboard's focus, and with it the user's place on
 * the page.
 */
export const BusyButton = ({ busy, onClick, ...rest }: BusyButtonProps) => (
  <button
    type="button"
    {...rest}
    aria-disabled={busy}
    onClick={(event) => {
      if (busy) event.preventDefault();
      else onClick?.();
    }}
  />
);
