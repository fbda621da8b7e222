import type { Device, DeviceControl } from '../../../contract/index.ts';

/** A value of a control. */
export type ControlValue = number | boolean | string;

/** Controls that belong together, in the order a camera operator looks for them. */
export interface ControlGroup {
  readonly name: string;
  readonly controls: readonly DeviceControl[];
}

const groups: readonly (readonly [name: string, ids: RegExp])[] = [
  ['Exposure', /exposure|gain|iso|iris|shutter|backlight|power_line/],
  ['Focus and zoom', /focus|zoom|pan|tilt/],
  ['White balance', /white_balance|red_balance|blue_balance/],
  ['Picture', /brightness|contrast|saturation|hue|sharpness|gamma|flip/],
];

const isSwitch = ({ kind }: DeviceControl): boolean => kind === 'boolean' || kind === 'menu';

/** Groups with controls in them. Within a group, controls that turn others on and off come first. */
export const controlGroups = (controls: readonly DeviceControl[]): ControlGroup[] => {
  const nameOf = (control: DeviceControl) => groups.find(([, ids]) => ids.test(control.id))?.[0] ?? 'More';
  return [...groups.map(([name]) => name), 'More'].flatMap((name) => {
    const own = controls.filter((control) => nameOf(control) === name);
    const sorted = own.toSorted((a, b) => Number(isSwitch(b)) - Number(isSwitch(a)));
    return sorted.length === 0 ? [] : [{ name, controls: sorted }];
  });
};

/** Whether a control differs from its default. */
export const isChanged = (control: DeviceControl): boolean =>
  control.kind !== 'button' && control.default !== null && control.value !== control.default;

/** How far one press of a key, or one pixel, moves a slider. */
export const stepOf = ({ step }: DeviceControl): number => (step === null || step <= 0 ? 1 : step);

/** Whether a slider is useful: both ends known, and more than two values between them. */
export const isSlider = ({ kind, min, max }: DeviceControl): boolean =>
  (kind === 'integer' || kind === 'float') && min !== null && max !== null && max > min;

/** Defaults of switches: they come first, because they decide which of the others the camera accepts. */
export const switchDefaults = (device: Device): Record<string, ControlValue> =>
  defaultsOf(device.controls.filter(isSwitch));

/** Defaults of all other controls that the camera accepts in its current mode. */
export const valueDefaults = (device: Device): Record<string, ControlValue> =>
  defaultsOf(device.controls.filter((control) => !isSwitch(control) && !control.inactive));

const defaultsOf = (controls: readonly DeviceControl[]): Record<string, ControlValue> =>
  Object.fromEntries(
    controls.filter(isChanged).flatMap((control) => {
      return control.default === null ? [] : [[control.id, control.default]];
    }),
  );
