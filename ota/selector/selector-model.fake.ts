import { OtaError } from '../errors.ts';
import { readBootPartitions, renderAutoboot } from './autoboot.ts';
import { decide, type SelectorEvent, type SelectorFiles, type SelectorWrite } from './selector.ts';
import { otherSlot, type SlotName, slotOfBootPartition } from './slot.ts';
import { emptyState, parseState, renderState } from './state.ts';

/**
 * What a slot contains. `works` passes its gate; `broken` boots, but not further than its early boot; `dead` does not even
 * reach that; `partial` is half written; `empty` was never written.
 */
export type SlotContent = 'works' | 'broken' | 'dead' | 'partial' | 'empty';

/** What the running system does next; each of its steps can be the last before a power cut. */
export type Activity =
  | 'off'
  | 'early'
  | 'up'
  | 'confirmed'
  | 'install-mark'
  | 'install-write'
  | 'install-arm'
  | 'armed'
  | 'confirm'
  | 'refuse'
  | 'restart';

/** One moment of the machine: its files, its slots, and how far it got. */
export interface World {
  readonly files: SelectorFiles;
  /** What a power cut may leave instead of `files`, while a rename is not synced yet. */
  readonly older: SelectorFiles | null;
  readonly slots: Readonly<Record<SlotName, SlotContent>>;
  readonly booted: SlotName | null;
  readonly activity: Activity;
  /** Writes still to be done, and how far the first of them is. */
  readonly writes: readonly SelectorWrite[];
  readonly stage: 'prepare' | 'rename' | 'sync';
  readonly tryboot: boolean;
  /** Whether a slot already went bad by itself after its commit (once per history, to keep it finite). */
  readonly rotted: boolean;
}

/** The machine when it leaves the factory. */
export const factoryWorld: World = {
  files: { autoboot: renderAutoboot('A'), state: renderState(emptyState) },
  older: null,
  slots: { A: 'works', B: 'empty' },
  booted: null,
  activity: 'off',
  writes: [],
  stage: 'prepare',
  tryboot: false,
  rotted: false,
};

/** The slot that a plain power-on boots, as the firmware reads it; null if it finds none. */
export function committedIn(files: SelectorFiles): SlotName | null {
  const { normal } = readBootPartitions(files.autoboot ?? '');
  return normal === null ? null : slotOfBootPartition(normal);
}

/** Every moment that can follow by itself, through the firmware, the early agent, the installer or the gate. */
export function successors(world: World): World[] {
  if (world.booted === null) return [powerOn(world)];
  if (world.writes.length > 0) return [writeStep(world, world.writes)];
  return act(world, world.booted);
}

/** Every moment that a power cut, or a reset by the watchdog, can leave behind. */
export function cuts(world: World): World[] {
  if (world.booted === null) return [];
  return [...new Set([world.files, world.older ?? world.files])].map((files) => off({ ...world, files }));
}

/** A committed slot may go bad by itself (a worn card) while the machine is off. */
export function rots(world: World): World[] {
  const committed = committedIn(world.files);
  if (world.booted !== null || world.rotted || committed === null) return [];
  const slots = { ...world.slots, [committed]: 'broken' as const };
  return [{ ...world, rotted: true, slots }];
}

function powerOn(world: World): World {
  const { normal, trial } = readBootPartitions(world.files.autoboot ?? '');
  const partition = world.tryboot ? trial : normal;
  const slot = partition === null ? null : slotOfBootPartition(partition);
  const next: World = { ...world, tryboot: false };
  if (slot === null) return next;
  const content = world.slots[slot];
  if (content === 'works' || content === 'broken') return enter(next, slot);
  return next;
}

function enter(world: World, slot: SlotName): World {
  const { writes, reboot } = decide(world.files, { type: 'boot', booted: slot });
  return start({ ...world, booted: slot }, writes, reboot ? 'restart' : 'early');
}

function act(world: World, booted: SlotName): World[] {
  const works = world.slots[booted] === 'works';
  switch (world.activity) {
    case 'early':
      return [{ ...world, activity: 'up' }];
    case 'up':
      if (works) return ask(world, { type: 'set-state', slot: booted, state: 'good', booted }, 'confirm');
      // A broken slot either crashes, or its gate rejects it.
      return [off(world), ...ask(world, { type: 'set-state', slot: booted, state: 'bad', booted }, 'refuse')];
    case 'confirm':
      return [{ ...world, activity: 'confirmed' }];
    case 'refuse':
    case 'restart':
      return [off(world)];
    case 'confirmed':
      return [off(world), ...beginInstall(world, booted)];
    case 'install-mark':
      return [withContent({ ...world, activity: 'install-write' }, booted, 'partial')];
    case 'install-write':
      return (['works', 'broken', 'dead'] as const).flatMap((content) =>
        ask(
          withContent(world, booted, content),
          { type: 'set-primary', slot: otherSlot(booted) },
          'install-arm',
        ),
      );
    case 'install-arm':
      return [{ ...world, activity: 'armed' }];
    case 'armed':
      return [off(world), { ...off(world), tryboot: true }];
    case 'off':
      return [];
  }
}

function beginInstall(world: World, booted: SlotName): World[] {
  const target = otherSlot(booted);
  return ask(world, { type: 'set-state', slot: target, state: 'bad', booted }, 'install-mark');
}

function withContent(world: World, booted: SlotName, content: SlotContent): World {
  return { ...world, slots: { ...world.slots, [otherSlot(booted)]: content } };
}

/** Asks the selector; if it refuses, the machine only restarts. */
function ask(world: World, event: SelectorEvent, then: Activity): World[] {
  try {
    return [start(world, decide(world.files, event).writes, then)];
  } catch (error) {
    if (error instanceof OtaError && error.code === 'SELECTOR_REFUSED') return [off(world)];
    throw error;
  }
}

function start(world: World, writes: readonly SelectorWrite[], activity: Activity): World {
  return { ...world, writes, stage: 'prepare', activity };
}

function writeStep(world: World, writes: readonly SelectorWrite[]): World {
  const [write, ...rest] = writes;
  if (write === undefined) return world;
  if (world.stage === 'prepare') return { ...world, stage: 'rename' };
  if (world.stage === 'rename') {
    const files = { ...world.files, [write.file]: write.content };
    return { ...world, files, older: world.files, stage: 'sync' };
  }
  return { ...world, older: null, writes: rest, stage: 'prepare' };
}

function off(world: World): World {
  return {
    ...world,
    older: null,
    booted: null,
    activity: 'off',
    writes: [],
    stage: 'prepare',
    tryboot: false,
  };
}

/** A short key for each state, equal for states that behave alike. */
export function keyOf(world: World): string {
  const state = parseState(world.files.state);
  const older = world.older === null ? '' : `${world.older.autoboot}|${world.older.state}`;
  const { A, B } = world.slots;
  return JSON.stringify([
    committedIn(world.files),
    state,
    older,
    A,
    B,
    world.booted,
    world.activity,
    world.writes,
    world.stage,
    world.tryboot,
    world.rotted,
  ]);
}
