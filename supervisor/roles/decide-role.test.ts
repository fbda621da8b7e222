import { expect, it } from 'vitest';
import { decideRole } from './decide-role.ts';
import type { JumperReading, Role } from './facts.ts';

type Row = [
  setting: 'auto' | Role,
  jumper: JumperReading,
  last: Role | undefined,
  role: Role,
  reason: RegExp,
];

/** The whole table: 3 settings, 4 readings, 3 pasts. */
const table: Row[] = [
  ...(['closed', 'open', 'unreadable', 'absent'] as const).flatMap((jumper): Row[] =>
    ([undefined, 'hub', 'camera'] as const).flatMap((last): Row[] => [
      ['hub', jumper, last, 'hub', /^The setting says role = "hub"\.$/],
      [
        'camera',
        jumper,
        last,
        'camera',
        jumper === 'closed'
          ? /"camera", against the closed jumper\.$/
          : /^The setting says role = "camera"\.$/,
      ],
    ]),
  ),
  ...([undefined, 'hub', 'camera'] as const).flatMap((last): Row[] => [
    ['auto', 'closed', last, 'hub', /^The jumper on GPIO 17 is closed\.$/],
    ['auto', 'open', last, 'camera', /^The jumper on GPIO 17 is open\.$/],
    ['auto', 'absent', last, 'camera', /no GPIO header/],
  ]),
  ['auto', 'unreadable', undefined, 'camera', /cannot be read, which counts as open/],
  ['auto', 'unreadable', 'hub', 'hub', /stays the same/],
  ['auto', 'unreadable', 'camera', 'camera', /stays the same/],
];

it('the table is complete', () => {
  expect(new Set(table.map(([setting, jumper, last]) => `${setting} ${jumper} ${last}`)).size).toBe(
    3 * 4 * 3,
  );
});

it.each(table)('role = "%s", jumper %s, before %s: %s', (setting, jumper, lastRole, role, reason) => {
  const facts = { jumper, ...(lastRole && { lastRole }) };
  const decision = decideRole({ role: setting, jumper: { gpio: 17 } }, facts);
  expect(decision.role).toBe(role);
  expect(decision.reason).toMatch(reason);
});
