import type { Config } from '../config/schema.ts';
import type { Adjustable, Device, DeviceControl } from '../contract/index.ts';

/** Id of the bit rate of a live picture among what can be adjusted. */
export const targetKbps = 'target_kbps';

/** Controls that somebody changes during a shoot; the page has all of them. */
const liveControls: ReadonlySet<string> = new Set([
  'auto_exposure',
  'exposure_auto',
  'exposure_time_absolute',
  'exposure_absolute',
  'gain',
  'brightness',
  'white_balance_automatic',
  'white_balance_temperature',
  'focus_automatic_continuous',
  'focus_absolute',
]);

const bitrateRange = { min: 100, max: 100_000, step: 100 } as const;

/** What of the sources of this machine can be changed while they run, in the order of the settings. Pure. */
export function adjustablesOf(config: Pick<Config, 'source'>, devices: readonly Device[]): Adjustable[] {
  const bitrates = config.source.flatMap((source): Adjustable[] => {
    if (!source.enabled || !('bitrateKbps' in source)) return [];
    const { id, label = id, bitrateKbps: value } = source;
    const fields = { source: id, id: targetKbps, label: `${label} target bit rate`, kind: 'number' } as const;
    return [{ ...fields, value, ...bitrateRange, unit: 'kbit/s', choices: [] }];
  });
  const controls = devices.flatMap(({ source, label, controls }) =>
    source === null ? [] : controls.flatMap((control) => adjustableOf(source, label, control)),
  );
  return [...bitrates, ...controls];
}

function adjustableOf(source: string, name: string, control: DeviceControl): Adjustable[] {
  const { id, kind, min, max, step, value, menu } = control;
  if (!liveControls.has(id)) return [];
  const label = `${name} ${control.label.toLowerCase()}`;
  const none = { min: null, max: null, step: null, unit: null, choices: [] };
  if (kind === 'boolean')
    return [{ source, id, label, kind: 'switch', value: value === true || value === 1, ...none }];
  if (kind === 'menu' && menu.length > 0) {
    const chosen = menu.find((item) => item.value === value)?.label ?? null;
    const choices = [...new Set(menu.map((item) => item.label))];
    return [{ source, id, label, kind: 'choice', value: chosen, ...none, choices }];
  }
  // Home Assistant refuses a whole device for one number without a range.
  if (kind !== 'integer' || min === null || max === null || min >= max) return [];
  const now = typeof value === 'number' ? value : null;
  return [
    {
      source,
      id,
      label,
      kind: 'number',
      value: now,
      min,
      max,
      step: Math.max(1, step ?? 1),
      unit: null,
      choices: [],
    },
  ];
}
