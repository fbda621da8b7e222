import type { ComponentChildren } from 'preact';
import type { ConfigView } from '../../../../contract/index.ts';

interface OwnersPartProps {
  /** Null if the key may not see the settings. */
  config: ConfigView | null;
  children: ComponentChildren;
}

/** The end of a list of settings: the form that adds to it, or who may. */
export const OwnersPart = ({ config, children }: OwnersPartProps) =>
  config === null ? (
    <p class="row-note">Only the owner’s key can add or remove them.</p>
  ) : (
    <>
      {children}
      <p class="row-note">
        Saved on this appliance. If you edit this list in rushlight.toml later, the file wins.
      </p>
    </>
  );
