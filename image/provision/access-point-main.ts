import { join } from 'node:path';
import { keepReachable } from './access-point.ts';
import { linuxAccessPoint } from './access-point-linux.ts';
import { devicePaths, readCardText, readOptional } from './device.ts';
import { accessPointSettings } from './network-settings.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const hostname = ((await readOptional('/proc/sys/kernel/hostname')) ?? 'rushlight').trim();
const toml = (await readCardText(join(devicePaths.card, 'rushlight.toml'))) ?? '';
const settings = accessPointSettings(toml, hostname);
const log = (line: string) => void process.stdout.write(`${line}\n`);
if (settings.enabled) await keepReachable({ settings, system: linuxAccessPoint, log }, stop.signal);
