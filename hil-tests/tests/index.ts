import type { TestCase } from '../lib/test-case.ts';
import { bootTests } from './boot.ts';
import { diskTests } from './disks.ts';
import { mediaTests } from './media.ts';
import { provisioningTests } from './provisioning.ts';
import { recoveryTests } from './recovery.ts';
import { roleTests } from './role.ts';
import { slotTests } from './slots.ts';
import { systemTests } from './system.ts';
import { updateTests } from './update.ts';
import { updateCutTests } from './update-cuts.ts';
import { updateFleetTests } from './update-fleet.ts';
import { updatePowerCutTests } from './update-power-cuts.ts';
import { updateSabotageTests } from './update-sabotage.ts';
import { updateSmallTests } from './update-small.ts';
import { updateSmallChangeTests } from './update-small-change.ts';
import { updateStateTests } from './update-state.ts';

/** All tests in the order that needs the fewest starts. */
export const allTests: readonly TestCase[] = [
  ...provisioningTests,
  ...bootTests,
  ...systemTests,
  ...mediaTests,
  ...roleTests,
  ...recoveryTests,
  ...diskTests,
  ...updateTests,
  ...updateSabotageTests,
  ...updateSmallChangeTests,
  ...updateStateTests,
  ...slotTests,
  ...updateFleetTests,
  ...updateCutTests,
  ...updateSmallTests,
  ...updatePowerCutTests,
];

/** `ci`, `all`, or parts of names separated by commas. */
export function selectTests(tests: readonly TestCase[], selection: string): TestCase[] {
  if (selection === 'all') return [...tests];
  if (selection === 'ci') return tests.filter((test) => test.selection === 'ci');
  const parts = selection.split(',').filter((part) => part !== '');
  return tests.filter((test) => parts.some((part) => test.name.includes(part)));
}
