import { describeError } from '../../../common/errors.ts';
import type { Device } from '../../contract/index.ts';
import type { RunCommand } from '../run-command.ts';
import { type ControlSetting, type ControlValues, checkControls, isSwitch } from './controls-patch.ts';
import { ControlInvalidError, ControlsUnsupportedError } from './errors.ts';

/**
 * Sets controls of a camera by v4l2-ctl. `reread` returns the camera after the switches are set: they turn others on and off.
 * @throws ControlInvalidError, ControlsUnsupportedError
 */
export async function setControls(
  device: Device,
  values: ControlValues,
  run: RunCommand,
  reread: () => Promise<Device>,
): Promise<void> {
  if (device.kind === 'libcamera' || device.path === null) throw new ControlsUnsupportedError(device.name);
  const settings = checkControls(device, values);
  const switches = settings.filter(({ control }) => isSwitch(control));
  const others = settings.filter(({ control }) => !isSwitch(control));
  if (switches.length > 0) await apply(device.path, switches, run);
  if (others.length === 0) return;
  const now = switches.length > 0 ? await reread() : device;
  const inactive = now.controls.filter(
    ({ id, inactive }) => inactive && Object.hasOwn(values, id) && !isSwitchId(now, id),
  );
  if (inactive.length > 0) {
    const message = 'not accepted in the current mode: turn its automatic mode off first';
    throw new ControlInvalidError(inactive.map(({ id }) => ({ path: id, message })));
  }
  await apply(device.path, others, run);
}

function isSwitchId(device: Device, id: string): boolean {
  return device.controls.some((control) => control.id === id && isSwitch(control));
}

async function apply(path: string, settings: readonly ControlSetting[], run: RunCommand): Promise<void> {
  const argument = settings.map(({ control, value }) => `${control.id}=${value}`).join(',');
  const { code, stdout, stderr } = await run(['v4l2-ctl', '--device', path, '--set-ctrl', argument]);
  const complaint = `${stderr}\n${stdout}`
    .split('\n')
    .find((line) => /failed|error|unknown control/i.test(line));
  if (code === 0 && complaint === undefined) return;
  const message = `the camera refused it: ${complaint?.trim() || `v4l2-ctl ended with ${code ?? 'no'} code`}`;
  throw new ControlInvalidError(settings.map(({ control }) => ({ path: control.id, message })));
}

/**
 * Restores remembered values as far as the camera accepts them now, and returns why others were skipped. Values whose automatic
 * is on are skipped silently: they count again once it is off.
 */
export async function reapplyControls(
  device: Device,
  values: ControlValues,
  run: RunCommand,
  reread: () => Promise<Device>,
): Promise<string[]> {
  const skipped: string[] = [];
  const restore = async (target: Device, part: ControlValues): Promise<void> => {
    for (const [id, value] of Object.entries(part)) {
      await setControls(target, { [id]: value }, run, async () => target).catch((error) => {
        skipped.push(describeError(error));
      });
    }
  };
  const entries = Object.entries(values);
  await restore(device, Object.fromEntries(entries.filter(([id]) => isSwitchId(device, id))));
  const now = await reread();
  const settable = (id: string) =>
    !isSwitchId(now, id) && !now.controls.some((control) => control.id === id && control.inactive);
  await restore(now, Object.fromEntries(entries.filter(([id]) => settable(id))));
  return skipped;
}
