import type { SlotName } from './slot.ts';

/**
 * `good`: confirmed by its health gate at least once since it was written. `bad`: being written, or failed its trial.
 * `trial`: completely written, not confirmed yet. `unknown`: nothing was ever recorded.
 */
export type SlotMark = 'good' | 'bad' | 'trial' | 'unknown';

/** The result of the selector's last action, which the really booted slot reports to the black box. */
export type SelectorNote =
  | ''
  | `${'committed' | 'refused' | 'failed' | 'never-started' | 'repaired'}-${SlotName}`;

/** The selector's memory beside autoboot.txt. It can be lost: autoboot.txt alone decides what boots. */
export interface SelectorState {
  /** Slot that was armed for a trial and is not committed yet. */
  readonly pending: SlotName | null;
  /** Whether the trial's early boot was seen. */
  readonly started: boolean;
  /** Boots of the committed slot since it last proved healthy; counted up to 9. */
  readonly boots: number;
  readonly marks: { readonly A: SlotMark; readonly B: SlotMark };
  readonly note: SelectorNote;
}

/** The memory before anything happened. */
export const emptyState: SelectorState = {
  pending: null,
  started: false,
  boots: 0,
  marks: { A: 'unknown', B: 'unknown' },
  note: '',
};

const HEADER = 'rushlight-selector 1';
const MARK = 'good|bad|trial|unknown';

/** One exact form, so that shell and TypeScript agree on what is complete: anything else counts as lost. */
const form = new RegExp(
  `^${HEADER}\npending=([AB]?)\nstarted=([01])\nboots=(\\d)\na=(${MARK})\nb=(${MARK})\n` +
    `note=((?:(?:committed|refused|failed|never-started|repaired)-[AB])?)\nend\n$`,
);

/**
 * Never throws: a state that is missing, torn or of another form counts as lost and reads as the empty one. NULs are skipped,
 * like a shell's `read` does: those that a disk adds after a complete state do not make it another one.
 */
export function parseState(text: string | null): SelectorState {
  const match = text === null ? null : form.exec(text.replaceAll('\0', ''));
  if (match === null) return emptyState;
  const [, pending, started, boots, a, b, note] = match;
  return {
    pending: pending === '' ? null : (pending as SlotName),
    started: started === '1',
    boots: Number(boots),
    marks: { A: a as SlotMark, B: b as SlotMark },
    note: note as SelectorNote,
  };
}

/** The text of a memory. */
export function renderState(state: SelectorState): string {
  return [
    HEADER,
    `pending=${state.pending ?? ''}`,
    `started=${state.started ? 1 : 0}`,
    `boots=${Math.min(state.boots, 9)}`,
    `a=${state.marks.A}`,
    `b=${state.marks.B}`,
    `note=${state.note}`,
    'end',
    '',
  ].join('\n');
}
