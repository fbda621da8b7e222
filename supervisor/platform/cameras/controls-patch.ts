import type { Device, DeviceControl } from '../../contract/index.ts';
import { ControlInvalidError } from './errors.ts';

/** Values by the control's name. */
export type ControlValues = Readonly<Record<string, number | boolean | string>>;

/** A value as v4l2-ctl takes it. */
export interface ControlSetting {
  readonly control: DeviceControl;
  readonly value: number | string;
}

/**
 * Checks values against the camera's description of its controls, and orders them: switches and menus first, because they
 * decide which of the others the driver accepts (manual exposure before an exposure time).
 * @throws ControlInvalidError with every finding
 */
export function checkControls(device: Device, values: ControlValues): ControlSetting[] {
  const issues: { path: string; message: string }[] = [];
  const settings: ControlSetting[] = [];
  for (const [id, value] of Object.entries(values)) {
    const control = device.controls.find((candidate) => candidate.id === id);
    const checked = control === undefined ? unknown(device) : checkValue(control, value);
    if (control !== undefined && 'value' in checked) settings.push({ control, value: checked.value });
    else if ('message' in checked) issues.push({ path: id, message: checked.message });
  }
  if (issues.length > 0) throw new ControlInvalidError(issues);
  return settings.toSorted((a, b) => Number(isSwitch(b.control)) - Number(isSwitch(a.control)));
}

/** Whether a control turns others on and off. */
export function isSwitch(control: DeviceControl): boolean {
  return control.kind === 'boolean' || control.kind === 'menu';
}

type Checked = { readonly value: number | string } | { readonly message: string };

function checkValue(control: DeviceControl, value: number | boolean | string): Checked {
  switch (control.kind) {
    case 'boolean':
      if (value === true || value === 1) return { value: 1 };
      if (value === false || value === 0) return { value: 0 };
      return { message: 'true or false expected' };
    case 'button':
      return value === true || value === 1 ? { value: 1 } : { message: 'true expected: it is a button' };
    case 'menu':
      return checkMenu(control, value);
    case 'string':
      return checkText(control, value);
    default:
      return checkNumber(control, value);
  }
}

function checkMenu(control: DeviceControl, value: number | boolean | string): Checked {
  const item = control.menu.find((entry) => entry.value === value || entry.label === value);
  if (item !== undefined) return { value: item.value };
  const choices = control.menu.map((entry) => `${entry.value} (${entry.label})`).join(', ');
  return { message: `one of ${choices} expected` };
}

function checkText(control: DeviceControl, value: number | boolean | string): Checked {
  const max = control.max ?? 255;
  // v4l2-ctl splits its argument at commas, even inside quotes.
  const fits = typeof value === 'string' && value.length <= max && !/[,'"\p{Cc}]/u.test(value);
  return fits
    ? { value }
    : { message: `text of at most ${max} characters without quotes and commas expected` };
}

function checkNumber(control: DeviceControl, value: number | boolean | string): Checked {
  const { min, max, step } = control;
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    return { message: 'a whole number expected' };
  if ((min !== null && value < min) || (max !== null && value > max)) {
    return { message: `a number from ${min} to ${max} expected` };
  }
  if (step !== null && step > 1 && min !== null && (value - min) % step !== 0) {
    return { message: `${min} plus a multiple of ${step} expected` };
  }
  return { value };
}

function unknown(device: Device): Checked {
  return { message: `${device.name} has no such control` };
}
