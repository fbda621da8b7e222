/** What a node says about itself (VIDIOC_QUERYCAP). */
export interface NodeInfo {
  readonly driver: string;
  readonly card: string;
  readonly bus: string;
  /** From the media controller; empty if the driver has none. */
  readonly serial: string;
  /** Names of the node's own capabilities, such as `Video Capture`. */
  readonly capabilities: readonly string[];
}

/** Reads the `Driver Info` and `Media Driver Info` blocks of `v4l2-ctl --all`; null if there is none. */
export function parseInfo(text: string): NodeInfo | null {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^Driver Info/.test(line));
  if (start < 0) return null;
  const driver = valueIn(lines, 'Driver name', start);
  if (driver === null) return null;
  const media = lines.findIndex((line) => /^Media Driver Info/.test(line));
  const device = listAfter(lines, 'Device Caps', start);
  return {
    driver,
    card: valueIn(lines, 'Card type', start) ?? driver,
    bus: valueIn(lines, 'Bus info', start) ?? '',
    serial: media < 0 ? '' : (valueIn(lines, 'Serial', media) ?? ''),
    capabilities: device.length > 0 ? device : listAfter(lines, 'Capabilities', start),
  };
}

/** Whether a node delivers pictures, not metadata, output or conversion. */
export function isCapture(info: NodeInfo): boolean {
  return info.capabilities.some((name) => name === 'Video Capture' || name === 'Video Capture Multiplanar');
}

function valueIn(lines: readonly string[], key: string, from: number): string | null {
  const pattern = new RegExp(`^\\s+${key}\\s*:\\s?(.*)$`);
  for (let index = from + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line !== '' && !/^\s/.test(line)) return null;
    const match = pattern.exec(line);
    if (match !== null) return (match[1] ?? '').trim();
  }
  return null;
}

/** The names below `Device Caps      : 0x04200001`, which are indented deeper. */
function listAfter(lines: readonly string[], key: string, from: number): string[] {
  const pattern = new RegExp(`^(\\s+)${key}\\s*: 0x`);
  const at = lines.findIndex((line, index) => index > from && pattern.test(line));
  if (at < 0) return [];
  const names: string[] = [];
  for (const line of lines.slice(at + 1)) {
    if (!/^\t\t\S|^ {16}\S/.test(line)) break;
    names.push(line.trim());
  }
  return names;
}
