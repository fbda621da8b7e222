import { OtaError } from '../errors.ts';
import { parseAutoboot, renderAutoboot } from './autoboot.ts';
import { otherSlot, type SlotName } from './slot.ts';
import { parseState, renderState, type SelectorState, type SlotMark } from './state.ts';

/** The two files of the selector: autoboot.txt on partition 1 and its memory on the data partition. */
export interface SelectorFiles {
  readonly autoboot: string | null;
  readonly state: string | null;
}

/** Unconfirmed boots of a committed slot after which the next boot goes to the other one. */
export const MAX_UNCONFIRMED_BOOTS = 3;

/** Events of the selector. All but `boot` are requests of RAUC to a custom bootloader backend. */
export type SelectorEvent =
  | { readonly type: 'boot'; readonly booted: SlotName }
  | { readonly type: 'get-primary' }
  | { readonly type: 'set-primary'; readonly slot: SlotName }
  | { readonly type: 'get-state'; readonly slot: SlotName }
  | {
      readonly type: 'set-state';
      readonly slot: SlotName;
      readonly state: 'good' | 'bad';
      readonly booted: SlotName;
    };

/** One file to replace atomically; writes happen in the given order, each synced before the next begins. */
export interface SelectorWrite {
  readonly file: keyof SelectorFiles;
  readonly content: string;
}

/** What the selector decided. */
export interface SelectorResult {
  readonly writes: readonly SelectorWrite[];
  /** What the backend prints. */
  readonly output: string;
  /** Whether the machine must restart now, because another slot is committed. */
  readonly reboot: boolean;
}

const nothing: SelectorResult = { writes: [], output: '', reboot: false };

/**
 * The whole logic of the boot selector: files and an event in, files out. The device runs its twin in shell
 * (overlays/rootfs/usr/lib/rushlight-ota/selector), tested against this one state by state.
 * @throws {OtaError} `SELECTOR_REFUSED` if the event would endanger the committed slot; `AUTOBOOT_INVALID` if RAUC asks and
 * autoboot.txt cannot be read (the next boot repairs it).
 */
export function decide(files: SelectorFiles, event: SelectorEvent): SelectorResult {
  const state = parseState(files.state);
  if (event.type === 'boot') return onBoot(files, state, event.booted);
  const committed = parseAutoboot(files.autoboot ?? '');
  switch (event.type) {
    case 'get-primary':
      return { ...nothing, output: state.pending ?? committed };
    case 'get-state':
      return { ...nothing, output: state.marks[event.slot] === 'bad' ? 'bad' : 'good' };
    case 'set-primary':
      return setPrimary(files, state, committed, event.slot);
    case 'set-state':
      return event.state === 'good'
        ? setGood(files, state, committed, event.slot, event.booted)
        : setBad(files, state, committed, event.slot, event.booted);
  }
}

function onBoot(files: SelectorFiles, state: SelectorState, booted: SlotName): SelectorResult {
  const committed = committedOrNull(files.autoboot);
  if (committed === null) {
    // The booted slot evidently boots; unless it is on trial itself, the other one was committed.
    const slot = state.pending === booted ? otherSlot(booted) : booted;
    return { ...nothing, writes: [{ file: 'autoboot', content: renderAutoboot(slot) }] };
  }
  if (booted !== committed) {
    if (state.pending !== booted || state.started) return nothing;
    return result(files, { ...state, started: true });
  }
  const settled = settleTrial(state, committed);
  const boots = Math.min(settled.boots, MAX_UNCONFIRMED_BOOTS) + 1;
  const other = otherSlot(committed);
  if (boots <= MAX_UNCONFIRMED_BOOTS || settled.marks[other] !== 'good') {
    return result(files, { ...settled, boots });
  }
  // The memory goes first: in the other order, a cut between the two would swap straight back.
  const repaired = mark({ ...settled, boots: 0, note: `repaired-${other}` }, committed, 'bad');
  return {
    ...result(files, repaired, { after: [{ file: 'autoboot', content: renderAutoboot(other) }] }),
    reboot: true,
  };
}

/** Closes a trial whose end was not recorded: the committed slot is running again, so the trial is over. */
function settleTrial(state: SelectorState, committed: SlotName): SelectorState {
  if (state.pending === null) return state;
  const over = { ...state, pending: null, started: false };
  if (state.pending === committed) {
    return mark({ ...over, boots: 0, note: `committed-${committed}` }, committed, 'good');
  }
  const note = `${state.started ? 'failed' : 'never-started'}-${state.pending}` as const;
  return mark({ ...over, note }, state.pending, 'bad');
}

function setPrimary(
  files: SelectorFiles,
  state: SelectorState,
  committed: SlotName,
  slot: SlotName,
): SelectorResult {
  if (slot === committed) return result(files, { ...state, pending: null, started: false });
  if (state.pending === slot) return nothing;
  return result(files, mark({ ...state, pending: slot, started: false, note: '' }, slot, 'trial'));
}

function setGood(
  files: SelectorFiles,
  state: SelectorState,
  committed: SlotName,
  slot: SlotName,
  booted: SlotName,
): SelectorResult {
  if (slot !== booted) {
    throw new OtaError('SELECTOR_REFUSED', `slot ${slot} is not running, so it cannot be confirmed`);
  }
  if (slot === committed) return result(files, mark({ ...state, boots: 0 }, slot, 'good'));
  if (state.pending !== slot) {
    throw new OtaError('SELECTOR_REFUSED', `slot ${slot} is not on trial, so it cannot be committed`);
  }
  const next = { ...state, pending: null, started: false, boots: 0, note: `committed-${slot}` } as const;
  return result(files, mark(next, slot, 'good'), {
    before: [{ file: 'autoboot', content: renderAutoboot(slot) }],
  });
}

function setBad(
  files: SelectorFiles,
  state: SelectorState,
  committed: SlotName,
  slot: SlotName,
  booted: SlotName,
): SelectorResult {
  if (slot === committed) {
    throw new OtaError('SELECTOR_REFUSED', `slot ${slot} is the committed one and must stay bootable`);
  }
  if (state.pending !== slot) return result(files, mark(state, slot, 'bad'));
  const note = slot === booted ? (`refused-${slot}` as const) : '';
  return result(files, mark({ ...state, pending: null, started: false, note }, slot, 'bad'));
}

function committedOrNull(autoboot: string | null): SlotName | null {
  try {
    return parseAutoboot(autoboot ?? '');
  } catch (error) {
    if (error instanceof OtaError) return null;
    throw error;
  }
}

function mark(state: SelectorState, slot: SlotName, value: SlotMark): SelectorState {
  return { ...state, marks: { ...state.marks, [slot]: value } };
}

function result(
  files: SelectorFiles,
  state: SelectorState,
  around: { before?: SelectorWrite[]; after?: SelectorWrite[] } = {},
): SelectorResult {
  const content = renderState(state);
  const own: SelectorWrite[] = content === files.state ? [] : [{ file: 'state', content }];
  return { ...nothing, writes: [...(around.before ?? []), ...own, ...(around.after ?? [])] };
}
