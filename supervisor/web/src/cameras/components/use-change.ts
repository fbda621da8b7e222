import { useState } from 'preact/hooks';
import type { ConfigView } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';

/** What a part of the page needs to change settings. */
export interface ChangeProps {
  controller: AppController;
  onConfig(view: ConfigView): void;
}

/**
 * Changes settings, and shows the page what they are then. `change` gets what to make of the present ones, and says whether it
 * succeeded; `busy` is true meanwhile.
 */
export const useChange = ({ controller, onConfig }: ChangeProps) => {
  const [busy, setBusy] = useState(false);
  const change = async (make: (now: ConfigView) => Record<string, unknown>): Promise<boolean> => {
    setBusy(true);
    const view = await controller.changeConfig(make).finally(() => setBusy(false));
    if (view !== null) onConfig(view);
    return view !== null;
  };
  return { busy, change };
};
