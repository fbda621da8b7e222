import { OtaError } from '../errors.ts';
import { parseAutoboot } from '../selector/autoboot.ts';
import { bootedSlot, type SlotName } from '../selector/slot.ts';
import { parseState, type SelectorState } from '../selector/state.ts';
import { readFileOrNull } from '../store.ts';
import type { SlotView, UpdatePaths } from './types.ts';

/** Which slot runs, which one is committed, and what the selector remembers. */
export interface Slots {
  readonly booted: SlotName;
  readonly committed: SlotName;
  readonly selector: SelectorState;
  readonly compatible: string;
}

/**
 * How this machine boots; a sentence if it cannot be updated.
 * @throws {OtaError} `STORE_FAILED` if a file is there but cannot be read
 */
export async function readSlots(paths: UpdatePaths): Promise<Slots | string> {
  const settings = await readFileOrNull(paths.systemConf);
  const compatible = /^compatible=(.+)$/m.exec(settings ?? '')?.[1]?.trim();
  if (compatible === undefined || compatible.startsWith('@'))
    return 'This machine does not run from the image.';
  const booted = bootedSlot((await readFileOrNull(paths.cmdline)) ?? '');
  if (booted === null) return 'This machine was not started from a slot.';
  const autoboot = await readFileOrNull(paths.autoboot);
  if (autoboot === null) return 'There is no autoboot.txt on the config partition.';
  // The selector itself treats an unreadable file as lost, and moves it aside.
  const selector = parseState(await readFileOrNull(paths.selectorState).catch(() => null));
  try {
    return { booted, committed: parseAutoboot(autoboot), selector, compatible };
  } catch (error) {
    if (error instanceof OtaError) return `The boot selector is damaged: ${error.message}.`;
    throw error;
  }
}

/** On trial: running, armed, and not committed yet. */
export function isOnTrial({ booted, committed, selector }: Slots): boolean {
  return booted !== committed && selector.pending === booted;
}

/** The two slots for the status. */
export function slotViews(
  slots: Slots,
  installedVersion: string,
  versions: Readonly<Record<SlotName, string | null>>,
): SlotView[] {
  return (['A', 'B'] as const).map((name) => ({
    name,
    booted: name === slots.booted,
    state: slots.selector.pending === name ? 'trial' : slots.selector.marks[name],
    version: name === slots.booted ? installedVersion : versions[name],
  }));
}
