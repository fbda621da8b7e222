import type { DeviceControl } from '../../contract/index.ts';

type Value = number | boolean | string;

const kinds: Readonly<Record<string, DeviceControl['kind']>> = {
  int: 'integer',
  int64: 'integer',
  bitmask: 'integer',
  u8: 'integer',
  u16: 'integer',
  u32: 'integer',
  bool: 'boolean',
  menu: 'menu',
  intmenu: 'menu',
  button: 'button',
  str: 'string',
};

const controlLine = /^\s*(\w+)(?: 0x[0-9a-f]{8})? \((\w+)\)\s*:(.*)$/;
const menuLine = /^\s+(\d+): (.*)$/;

/**
 * Reads the controls in what `v4l2-ctl --list-ctrls-menus` prints (v4l-utils 1.18 to 1.30). Leaves out kinds that no page can
 * set (areas, matrices, HDR tables) and controls that only report.
 */
export function parseControls(text: string): DeviceControl[] {
  const controls: DeviceControl[] = [];
  let open: DeviceControl | null = null;
  for (const line of text.split('\n')) {
    const match = controlLine.exec(line);
    if (match !== null) {
      open = readControl(match[1] ?? '', match[2] ?? '', match[3] ?? '');
      if (open !== null && !controls.some(({ id }) => id === open?.id)) controls.push(open);
      continue;
    }
    const item = menuLine.exec(line);
    if (item === null || open === null || open.kind !== 'menu') {
      if (line.trim() === '') open = null;
      continue;
    }
    // v4l2-ctl prints integer menus as `12: 0 (0x0)`.
    const label = (item[2] ?? '').replace(/ \(0x[0-9a-f]+\)$/, '');
    open.menu.push({ value: Number(item[1]), label });
  }
  return controls;
}

function readControl(id: string, type: string, rest: string): DeviceControl | null {
  const kind = kinds[type];
  if (kind === undefined) return null;
  const flags = (/\bflags=(.*)$/.exec(rest)?.[1] ?? '').split(',').map((flag) => flag.trim());
  if (flags.includes('read-only') || flags.includes('disabled')) return null;
  return {
    id,
    label: labelOf(id),
    kind,
    min: numberAt(rest, 'min'),
    max: numberAt(rest, 'max'),
    step: numberAt(rest, 'step'),
    default: valueAt(rest, 'default', kind),
    value: valueAt(rest, 'value', kind),
    menu: [],
    inactive: flags.includes('inactive'),
  };
}

/** v4l2-ctl derives the id from the driver's label: this is the inverse. */
function labelOf(id: string): string {
  const words = id.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function numberAt(rest: string, key: string): number | null {
  const text = new RegExp(`\\b${key}=(-?\\d+|0x[0-9a-f]+)`).exec(rest)?.[1];
  return text === undefined ? null : Number(text);
}

function valueAt(rest: string, key: string, kind: DeviceControl['kind']): Value | null {
  if (kind === 'string') return new RegExp(`\\b${key}='([^']*)'`).exec(rest)?.[1] ?? null;
  const value = numberAt(rest, key);
  return kind === 'boolean' && value !== null ? value !== 0 : value;
}
