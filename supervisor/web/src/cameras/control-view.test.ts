import { expect, test } from 'vitest';
import { controlFixture, deviceFixture } from '../../testing/fixture.ts';
import { controlGroups, isChanged, isSlider, stepOf, switchDefaults, valueDefaults } from './control-view.ts';

test('groups controls for an operator, switches first, and loses none', () => {
  const { controls } = deviceFixture();
  const odd = controlFixture({ id: 'led1_mode', label: 'LED1 mode' });
  const groups = controlGroups([...controls, odd]);
  expect(groups.map(({ name, controls: own }) => [name, own.map(({ id }) => id)])).toEqual([
    ['Exposure', ['auto_exposure', 'gain', 'exposure_time_absolute']],
    ['Focus and zoom', ['focus_absolute']],
    ['White balance', ['white_balance_automatic']],
    ['Picture', ['brightness']],
    ['More', ['led1_mode']],
  ]);
});

test('defaults: switches at once, then what the camera accepts in the resulting mode', () => {
  const device = deviceFixture({
    controls: [
      controlFixture({ id: 'auto_exposure', kind: 'menu', default: 3, value: 1 }),
      controlFixture({ id: 'focus_auto', kind: 'boolean', default: true, value: true }),
      controlFixture({ id: 'exposure', default: 250, value: 9, inactive: true }),
      controlFixture({ id: 'gain', default: 0, value: 64 }),
      controlFixture({ id: 'zoom', default: 100, value: 100 }),
      controlFixture({ id: 'odd', default: null, value: 5 }),
      controlFixture({ id: 'reset', kind: 'button', default: 0, value: null }),
    ],
  });
  expect(switchDefaults(device)).toEqual({ auto_exposure: 3 });
  expect(valueDefaults(device)).toEqual({ gain: 0 });
});

test('a slider needs both ends, and its step is never zero', () => {
  expect(isSlider(controlFixture())).toBe(true);
  expect(isSlider(controlFixture({ max: null }))).toBe(false);
  expect(isSlider(controlFixture({ min: 1, max: 1 }))).toBe(false);
  expect(isSlider(controlFixture({ kind: 'menu' }))).toBe(false);
  expect([stepOf(controlFixture({ step: null })), stepOf(controlFixture({ step: 5 }))]).toEqual([1, 5]);
});

test('a changed control can be reset', () => {
  expect(isChanged(controlFixture())).toBe(true);
  expect(isChanged(controlFixture({ value: 0 }))).toBe(false);
  expect(isChanged(controlFixture({ default: null }))).toBe(false);
  expect(isChanged(controlFixture({ kind: 'button', default: 0, value: 1 }))).toBe(false);
});
