import { expect, test } from 'vitest';
import { FixtureMachine } from './fixture-machine.fake.ts';
import { findHardwareEncoder } from './hardware-encoder.ts';

test.each([
  ['imx708-pi4', '/video11'],
  ['imx708-pi5', null],
  ['vivid', null],
])('%s', async (name, expected) => {
  await using machine = await new FixtureMachine(name).open();
  const path = await findHardwareEncoder(machine.roots);
  expect(path?.slice(machine.roots.dev.length) ?? null).toBe(expected);
});
