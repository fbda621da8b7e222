import { describe, expect, it } from 'vitest';
import { parseAutoboot } from './autoboot.ts';
import { MAX_UNCONFIRMED_BOOTS } from './selector.ts';
import {
  committedIn,
  cuts,
  factoryWorld,
  keyOf,
  rots,
  successors,
  type World,
} from './selector-model.fake.ts';
import { otherSlot } from './slot.ts';
import { parseState } from './state.ts';

/** Every world that any order of boots, installs, gates, failures, wear and power cuts can reach. */
function reachable(): { worlds: World[]; cutCount: number } {
  const seen = new Map<string, World>();
  const queue: World[] = [factoryWorld];
  let cutCount = 0;
  while (queue.length > 0) {
    const world = queue.pop() as World;
    const key = keyOf(world);
    if (seen.has(key)) continue;
    seen.set(key, world);
    const cut = cuts(world);
    cutCount += cut.length;
    queue.push(...successors(world), ...cut, ...rots(world));
  }
  return { worlds: [...seen.values()], cutCount };
}

/** Lets a machine run undisturbed, installing nothing, until it is confirmed; null if it never is. */
function settle(from: World, maxBoots: number): { world: World; boots: number } | null {
  let world = from;
  let boots = 0;
  for (let step = 0; step < 500 && boots <= maxBoots; step++) {
    if (world.activity === 'confirmed' && world.writes.length === 0) return { world, boots };
    if (world.booted === null) boots++;
    // `[0]` is the way that involves nobody: crash rather than refuse, leave rather than install.
    const next = successors(world)[0];
    if (next === undefined) return null;
    world = next;
  }
  return null;
}

const { worlds, cutCount } = reachable();

describe('the boot selector under every order of events and power cuts', () => {
  it('explores enough states to be meaningful', () => {
    const activities = new Set(worlds.map((world) => world.activity));
    expect([...activities].sort()).toEqual(
      [
        'armed',
        'confirm',
        'confirmed',
        'early',
        'install-arm',
        'install-mark',
        'install-write',
        'off',
        'refuse',
        'restart',
        'up',
      ].sort(),
    );
    expect(worlds.length).toBeGreaterThan(2_000);
    expect(cutCount).toBeGreaterThan(2_000);
    expect(worlds.some((world) => committedIn(world.files) === 'B')).toBe(true);
    expect(worlds.some((world) => parseState(world.files.state).note === 'repaired-A')).toBe(true);
  });

  it('always leaves a complete autoboot.txt that names a slot', () => {
    for (const { files } of worlds) expect(['A', 'B']).toContain(parseAutoboot(files.autoboot ?? ''));
  });

  it('never commits a slot that is empty, half written or failed its gate', () => {
    for (const world of worlds) {
      const committed = committedIn(world.files) as 'A' | 'B';
      const allowed = world.rotted ? ['works', 'broken'] : ['works'];
      expect(allowed, keyOf(world)).toContain(world.slots[committed]);
    }
  });

  it('never lets the installer write to the committed slot', () => {
    for (const world of worlds.filter((each) => each.activity === 'install-write')) {
      expect(committedIn(world.files), keyOf(world)).toBe(world.booted);
    }
  });

  it('boots by itself after every cut: the committed slot at once, the other one after too many cut boots', () => {
    for (const world of worlds.filter((each) => !each.rotted)) {
      expect(settle(world, 3), keyOf(world)).not.toBeNull();
    }
    for (const world of worlds.filter((each) => !each.rotted).flatMap(cuts)) {
      const committed = committedIn(world.files) as 'A' | 'B';
      const { boots, marks } = parseState(world.files.state);
      const swaps = boots >= MAX_UNCONFIRMED_BOOTS && marks[otherSlot(committed)] === 'good';
      const end = settle(world, swaps ? 2 : 1);
      if (!swaps) expect(end?.world.booted, keyOf(world)).toBe(committed);
      else expect(end?.world.slots[end.world.booted as 'A' | 'B'], keyOf(world)).toBe('works');
    }
  });

  it('repairs a slot that broke after its commit from the other one, if that was confirmed before', () => {
    let repaired = 0;
    for (const world of worlds.filter((each) => each.rotted && each.booted === null)) {
      const committed = committedIn(world.files) as 'A' | 'B';
      const other = otherSlot(committed);
      const { marks, pending } = parseState(world.files.state);
      if (world.slots[committed] !== 'broken' || world.slots[other] !== 'works') continue;
      if (marks[other] !== 'good' || pending !== null) continue;
      repaired++;
      expect(settle(world, MAX_UNCONFIRMED_BOOTS + 3)?.world.booted, keyOf(world)).toBe(other);
    }
    expect(repaired).toBeGreaterThan(0);
  });

  it('closes every trial: nothing stays pending once a slot is confirmed without a new install', () => {
    for (const world of worlds.filter((each) => each.booted === null && !each.rotted)) {
      const end = settle(world, 3);
      expect(parseState(end?.world.files.state ?? null).pending, keyOf(world)).toBeNull();
    }
  });
});
